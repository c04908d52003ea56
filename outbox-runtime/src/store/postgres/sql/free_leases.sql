-- The shards of these consumers that nobody has, or had too long. Read-only: most of the time there
-- are none. A consumer that is paused or retired has none to give.
select c.name, s.shard
from "outbox".consumer c
cross join generate_series(0, c.shards - 1) as s (shard)
left join "outbox".lease l on l.consumer = c.name and l.shard = s.shard
where c.name = any($1) and c.paused_at is null and c.retired_at is null
    and (l.consumer is null or l.worker is null or l.expires_at < clock_timestamp())
order by c.name, s.shard
