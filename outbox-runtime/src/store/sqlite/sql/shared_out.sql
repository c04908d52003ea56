-- The consumers that workers run, and their shards.
select name, shards from "outbox_consumer" where paused_at_us is null and retired_at_us is null
