update "outbox_consumer"
set shards = ?2,
    paused_at_us = case when ?3 then coalesce(paused_at_us, ?9) end,
    retired_at_us = case when ?4 then coalesce(retired_at_us, ?9) end,
    target_shards = ?5, barrier = ?6, replay_until = ?7, replay_rate = ?8,
    revision = revision + 1
where name = ?1
