select name, shards from "outbox".consumer where name = any($1)
