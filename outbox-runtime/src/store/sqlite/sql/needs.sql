-- How far each shard that is read has come, and which events it reads. (While the number of shards
-- is changing these are the old ones: the new ones begin where they stop, in the transaction in
-- which they take their place.)
with recursive part (consumer, shard, shards, event_name, start) as (
    select name, 0, shards, event_name, start from "outbox_consumer" where retired_at_us is null
    union all
    select consumer, shard + 1, shards, event_name, start from part where shard + 1 < shards
)
select p.consumer, p.shard, p.shards, p.event_name, p.start, (
    select k.progress from "outbox_checkpoint" k
    where k.consumer = p.consumer and k.shard = p.shard
    order by k.seq desc
    limit 1)
from part p
