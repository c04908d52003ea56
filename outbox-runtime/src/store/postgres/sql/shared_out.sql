-- The consumers that workers run, and their shards.
select name, shards from "outbox".consumer where paused_at is null and retired_at is null
