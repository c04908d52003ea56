-- The last checkpoint of every shard there ever was, and what its consumer reads.
select k.consumer, k.shard, k.seq, k.progress, k.completed, c.event_name, c.shards, c.start
from (
    select distinct on (consumer, shard) consumer, shard, seq, progress, completed
    from "outbox".checkpoint
    order by consumer, shard, seq desc
) k
join "outbox".consumer c on c.name = k.consumer
