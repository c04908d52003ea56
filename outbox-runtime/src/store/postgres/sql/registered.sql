select name, shards, event_name, event_version, start from "outbox".consumer where name = any($1)
