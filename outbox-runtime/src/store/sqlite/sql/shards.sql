-- The shards of the consumers that are not retired: who has them, and their newest checkpoint.
--
-- ?1 consumer, ?2 now
with recursive part (consumer, shard, shards) as (
    select name, 0, shards from "outbox_consumer"
    where retired_at_us is null and (?1 is null or name = ?1)
    union all
    select consumer, shard + 1, shards from part where shard + 1 < shards
)
select p.consumer, p.shard, l.worker, l.expires_at_us, coalesce(l.expires_at_us < ?2, 0),
       coalesce(l.epoch, 0), coalesce(l.in_flight, 0),
       k.seq, k.progress, k.handled, k.retried, k.dead, k.drained, k.at_us
from part p
left join "outbox_lease" l
    on l.consumer = p.consumer and l.shard = p.shard and l.worker is not null
join "outbox_checkpoint" k on k.consumer = p.consumer and k.shard = p.shard
    and k.seq = (
        select max(o.seq) from "outbox_checkpoint" o
        where o.consumer = p.consumer and o.shard = p.shard)
order by p.consumer, p.shard
