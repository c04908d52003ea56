-- The first committed event of a shard's late transactions: what lies before it has been handled.
--
-- $1 shards as in examine_range
select n.consumer, n.shard, min(l.position)
from jsonb_to_recordset($1) as n
    (consumer text, name text, shard integer, shards integer, not_before timestamptz, late text[])
cross join unnest(n.late::xid8[]) as x (tx)
join "outbox".event l on l.tx = x.tx and l.name = n.name
    and (l.key_hash & 2147483647) % n.shards = n.shard
    and (n.not_before is null or l.created_at >= n.not_before)
    and l.position > (select restored_up_to from "outbox".meta)
group by n.consumer, n.shard
