-- Goes from shard to shard by the primary key, as there may be a thousand checkpoints of each.
with recursive part (consumer, start, shard) as (
    select c.name, c.start,
           (select min(k.shard) from "outbox_checkpoint" k where k.consumer = c.name)
    from "outbox_consumer" c
    union all
    select p.consumer, p.start, (
        select min(k.shard) from "outbox_checkpoint" k
        where k.consumer = p.consumer and k.shard > p.shard)
    from part p where p.shard is not null
)
select k.consumer, k.shard, k.progress, k.completed, k.handled, k.retried, k.dead, p.start
from part p
join "outbox_checkpoint" k on k.consumer = p.consumer and k.shard = p.shard
    and k.seq = (
        select max(o.seq) from "outbox_checkpoint" o
        where o.consumer = p.consumer and o.shard = p.shard)
