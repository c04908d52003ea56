-- The shards of the consumers that are not retired: who has them, and their newest checkpoint.
select c.name, s.shard, l.worker, l.expires_at, coalesce(l.expires_at < clock_timestamp(), false),
       coalesce(l.epoch, 0), coalesce(l.in_flight, 0),
       k.seq, k.progress, k.handled, k.retried, k.dead, k.drained, k.at
from "outbox".consumer c
cross join generate_series(0, c.shards - 1) as s (shard)
left join "outbox".lease l on l.consumer = c.name and l.shard = s.shard and l.worker is not null
join lateral (
    select * from "outbox".checkpoint k
    where k.consumer = c.name and k.shard = s.shard
    order by k.seq desc
    limit 1
) k on true
where c.retired_at is null and ($1::text is null or c.name = $1)
order by c.name, s.shard
