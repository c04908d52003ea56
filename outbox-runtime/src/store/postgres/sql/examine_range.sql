-- A range of the log, from the first event after a position: what may be deleted, what is too young,
-- what is old enough and kept for a consumer. An event is kept if a shard that reads it has not
-- handled it: it lies beyond the shard's mark, or its transaction is late there.
--
-- $1 shards, $2 after, $3 at most up to, $4 positions, $5 now, $6 age in microseconds
with need as materialized (
    select name, shard, shards, handled, not_before,
           late::xid8[] as late, late_after, late_in_window::xid8[] as late_in_window
    from jsonb_to_recordset($1) as n
        (name text, shard integer, shards integer, handled bigint, not_before timestamptz,
         late text[], late_after bigint, late_in_window text[])
), restored as materialized (
    select restored_up_to as up_to from "outbox".meta
), span as materialized (
    select first, least(first - 1 + $4::bigint, $3) as last
    from (
        select min(position) as first from "outbox".event
        where position > $2 and ($3::bigint is null or position <= $3)
    ) f
), seen as materialized (
    select e.position,
           e.created_at >= coalesce($5, clock_timestamp()) - $6::bigint * interval '1 microsecond' as young,
           exists (
               select from need n
               where n.name = e.name and (e.key_hash & 2147483647) % n.shards = n.shard
                   and (n.not_before is null or e.created_at >= n.not_before)
                   and (e.position > n.handled
                       or e.position > (select up_to from restored)
                           and (e.tx = any(n.late) and e.position > n.late_after
                               or e.tx = any(n.late_in_window)))
           ) as held
    from (
        -- A limit that the planner knows and no range reaches (see open_window).
        select tx, position, name, key_hash, created_at from "outbox".event
        where position >= (select first from span) and position <= (select last from span)
        order by position
        limit 2000
    ) e
)
select (select first from span), (select last from span),
       min(position) filter (where young),
       max(position) filter (where not young),
       count(*) filter (where not young and not held),
       count(*) filter (where not young and held)
from seen
