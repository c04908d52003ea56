select name, shards from "outbox_consumer" where name in (select value from json_each(?1))
