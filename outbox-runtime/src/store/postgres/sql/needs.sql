-- How far each shard that is read has come, and which events it reads. (While the number of shards
-- is changing these are the old ones: the new ones begin where they stop, in the transaction in
-- which they take their place.)
select c.name, s.shard, c.shards, c.event_name, c.start, k.progress
from "outbox".consumer c
cross join generate_series(0, c.shards - 1) as s (shard)
left join lateral (
    select progress from "outbox".checkpoint
    where consumer = c.name and shard = s.shard
    order by seq desc
    limit 1
) k on true
where c.retired_at is null
