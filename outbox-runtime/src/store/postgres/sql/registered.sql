select name, shards, event_name, event_version from "outbox".consumer where name = any($1)
