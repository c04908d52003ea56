-- The shards of these consumers that nobody has, or had too long. Read-only: most of the time there
-- are none. A consumer that is paused or retired has none to give.
with recursive part (consumer, shard, shards) as (
    select name, 0, shards from "outbox_consumer"
    where name in (select value from json_each(?1))
        and paused_at_us is null and retired_at_us is null
    union all
    select consumer, shard + 1, shards from part where shard + 1 < shards
)
select p.consumer, p.shard
from part p
left join "outbox_lease" l on l.consumer = p.consumer and l.shard = p.shard
where l.consumer is null or l.worker is null or l.expires_at_us < ?2
order by p.consumer, p.shard
