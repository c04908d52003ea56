-- `previous` stays where something may still have killed the worker before: whoever takes the shard
-- next has to be as careful.
update "outbox".lease l
set worker = null, previous = case when $4 then null else coalesce(l.previous, l.worker) end,
    in_flight = 0, expires_at = clock_timestamp()
from unnest($2::text[], $3::integer[]) as h (consumer, shard)
where l.consumer = h.consumer and l.shard = h.shard and l.worker = $1
