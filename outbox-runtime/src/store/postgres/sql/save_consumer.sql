update "outbox".consumer
set shards = $2,
    paused_at = case when $3 then coalesce(paused_at, clock_timestamp()) end,
    retired_at = case when $4 then coalesce(retired_at, clock_timestamp()) end,
    target_shards = $5, barrier = $6, replay_until = $7, replay_rate = $8,
    revision = revision + 1
where name = $1
