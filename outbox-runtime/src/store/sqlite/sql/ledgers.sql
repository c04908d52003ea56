-- Goes from shard to shard by the primary key, as there may be a thousand checkpoints of each.
with recursive part (shard) as (
    select (select min(k.shard) from "outbox_checkpoint" k where k.consumer = ?1)
    union all
    select (select min(k.shard) from "outbox_checkpoint" k where k.consumer = ?1 and k.shard > p.shard)
    from part p where p.shard is not null
)
select k.shard, k.seq, k.progress, k.completed, k.handled, k.retried, k.dead, k.drained
from part p
join "outbox_checkpoint" k on k.consumer = ?1 and k.shard = p.shard
    and k.seq = (
        select max(o.seq) from "outbox_checkpoint" o where o.consumer = ?1 and o.shard = p.shard)
order by k.shard
