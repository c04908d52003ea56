select name, event_name, shards, ordered, paused_at_us is not null, retired_at_us is not null, start,
       target_shards, barrier, replay_until, replay_rate
from "outbox_consumer" where name = ?1
