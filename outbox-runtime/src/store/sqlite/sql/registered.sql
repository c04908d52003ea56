select name, shards, event_name, event_version, start from "outbox_consumer"
where name in (select value from json_each(?1))
