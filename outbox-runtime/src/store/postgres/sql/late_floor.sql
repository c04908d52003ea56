-- The first committed event of a shard's late transactions: what lies before it has been handled.
--
-- $1 shards as in examine_range
select n.consumer, n.shard, min(l.position)
from jsonb_to_recordset($1) as n
    (consumer text, name text, shard integer, shards integer, not_before timestamptz,
     late text[], late_after bigint, late_in_window text[])
cross join lateral (
    select tx, n.late_after as after from unnest(n.late::xid8[]) as tx
    union all
    select tx, 0 from unnest(n.late_in_window::xid8[]) as tx
) x
-- Walks the index to the first one of each, whatever the planner thinks of how many there are: see
-- open_window.
cross join lateral (
    select l.position from "outbox".event l
    where (l.tx, l.position)
            > (x.tx, greatest(x.after, (select restored_up_to from "outbox".meta)))
        and l.tx <= x.tx
        and case
            when l.name <> n.name then false
            when l.created_at < n.not_before then false
            else (l.key_hash & 2147483647) % n.shards = n.shard
        end
    order by l.tx, l.position
    limit 1
) l
group by n.consumer, n.shard
