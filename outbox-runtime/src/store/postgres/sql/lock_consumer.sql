select name, event_name, shards, ordered, paused_at is not null, retired_at is not null, start,
       target_shards, barrier, replay_until, replay_rate
from "outbox".consumer where name = $1
for update
