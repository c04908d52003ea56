-- Opens a window and reads its first page, in a transaction of its own.
--
-- The order S, L, N is what makes reading complete (see window.rs): the snapshot S is taken when
-- the statement starts; L, the last value of the sequence, is read when `mark` is evaluated; the
-- reader's own transaction id N is drawn for a row of `mark`, and so after it. N is drawn only
-- when a page was found, or the log has grown enough to be worth moving past.
--
-- The filters stand in a `case` so that the planner does not count on them: it would think that
-- next to nothing matches, and collect and sort all that lies between two positions to return the
-- first few. Written so, it walks an index in order and stops at the limit (see the test of plans).
-- Late transactions are compared as rows, since only the index on (tx, position) fits that.
--
-- Of events that were restored from another cluster (see restore.rs) the transaction ids mean
-- nothing here: they are never late, and always new.
--
-- $1 late transactions, $2 high, $3 next, $4 positions to look at, $5 event name, $6 shard, $7 shards,
-- $8 not before, $9 limit, $10 growth worth a transaction id, $11 bound of late events
with mark as materialized (
    select pg_current_snapshot() as upto,
           (select case when is_called then last_value else 0 end from "outbox".event_position_seq) as high
), restored as materialized (
    select restored_up_to as up_to from "outbox".meta
), span as materialized (
    -- From the first event that is left: retention may have deleted any number before it. (Not from
    -- the first after $2: a bulk of events that are not committed yet may lie there.)
    select greatest($2, (select min(position) from "outbox".event) - 1) + $4::bigint as bound
), late as (
    select e.* from unnest($1::text[]::xid8[]) as x (tx)
    cross join lateral (
        select l.position, l.id, l.name, l.version, l.key, l.payload, l.headers, l.created_at
        from "outbox".event l
        where (l.tx, l.position) > (x.tx, (select up_to from restored))
            and (l.tx, l.position) <= (x.tx, least($11, (select bound from span)))
            and case
                when l.name <> $5 then false
                when l.created_at < $8::timestamptz then false
                when $7 > 1 then (l.key_hash & 2147483647) % $7 = $6
                else true
            end
        order by l.tx, l.position
        limit $9
    ) e
), new as (
    select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
    from "outbox".event e
    where e.position > $2 and e.position <= (select bound from span)
        and (e.tx > $3::text::xid8 or e.position <= (select up_to from restored))
        and case
            when e.name <> $5 then false
            when e.created_at < $8::timestamptz then false
            when $7 > 1 then (e.key_hash & 2147483647) % $7 = $6
            else true
        end
    order by e.position
    limit $9
), page as materialized (
    select * from (select * from late union all select * from new) both_parts
    order by position
    limit $9
), own as materialized (
    select pg_current_xact_id()::text as id from mark
    where mark.high - $2 >= $10 or exists (select from page)
)
select p.position, p.id, p.name, p.version, p.key, p.payload, p.headers, p.created_at,
       m.upto::text, m.high, o.id as own, clock_timestamp() as now,
       pg_postmaster_start_time() as server, (select bound from span) as bound
from mark m
left join own o on true
left join page p on true
order by p.position
