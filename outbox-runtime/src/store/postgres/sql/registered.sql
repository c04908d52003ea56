select name, shards, event_name, event_version, ordered, revision, paused_at is not null,
       retired_at is not null
from "outbox".consumer where name = any($1)
