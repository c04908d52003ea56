-- Opens a window and reads its first page, in a transaction of its own.
--
-- The order S, L, N is what makes reading complete (see window.rs): the snapshot S is taken when
-- the statement starts; L, the last value of the sequence, is read when `mark` is evaluated; the
-- reader's own transaction id N is drawn for a row of `mark`, and so after it. N is drawn only
-- when a page was found, or the log has grown enough to be worth moving past. Where there was an id
-- before N, in somebody else's transaction, all this is worth nothing.
--
-- Of the rows one has no position and is the head of the page: what holds for all of it, as JSON where
-- events have their payload. In columns of its own, with each of its events, it would cost a third
-- of reading a page.
--
-- L is asked of the sequence under its lock. Read as a table it is read without: while somebody draws
-- every 32nd value, it may see what Postgres writes to the log ahead of time (`nextval_internal` in
-- sequence.c), up to 32 more than were drawn. Events that get those positions later would be lost.
-- (It is asked beside the table, which refuses whoever may not read it: the function says null then.)
--
-- Parameters stand in a row that the planner does not look into: it would take the plan for their
-- values for so much cheaper than the general one that it planned anew every time, which took as long
-- as reading a hundred events. The filters stand in a `case` so that it does not count on them
-- either: it would think that next to nothing matches, and collect and sort all that lies between two
-- positions to return the first few. Written so, it walks an index in order and stops at the limit (see
-- the test of plans). The limit is one that the planner does not know; therefore each part has another
-- one above it, which is never reached: without, it expects a tenth of the log, and takes 40 ms to compile
-- (`jit_above_cost`) a statement that takes one. Late transactions are compared as rows, since only the index on (tx, position)
-- fits that.
--
-- Of events that were restored from another cluster (see restore.rs) the transaction ids mean
-- nothing here: they are never late, and always new.
--
-- $1 high, $2 next, $3 positions to look at, $4 event name, $5 shard, $6 shards, $7 not before, $8 limit,
-- $9 growth worth a transaction id, $10 late transactions, $11 bound of late events
with given as materialized (
    select $1::bigint as high, $2::text::xid8 as next, $3::bigint as positions,
           $4::text as event_name, $5::integer as shard, $6::integer as shards,
           $7::timestamptz as not_before, $8::bigint as most, $9::bigint as growth,
           $10::text[]::xid8[] as late, $11::bigint as late_upto
), mark as materialized (
    select pg_current_xact_id_if_assigned() is not null as stray, pg_current_snapshot() as upto,
           (select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0)
            from "outbox".event_position_seq) as high
), restored as materialized (
    select restored_up_to as up_to from "outbox".meta
), span as materialized (
    -- From the first event that is left: retention may have deleted any number before it. (Not from
    -- the first after `high`: a bulk of events that are not committed yet may lie there.)
    select greatest(high, (select min(position) from "outbox".event) - 1) + positions as bound
    from given
), late as (
    select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
    from unnest((select late from given)) as x (tx)
    cross join lateral (
        select * from (
            select l.tx, l.position, l.id, l.name, l.version, l.key, l.payload, l.headers, l.created_at
            from "outbox".event l
            where (l.tx, l.position) > (x.tx, (select up_to from restored))
                and (l.tx, l.position)
                    <= (x.tx, least((select late_upto from given), (select bound from span)))
                and case
                    when l.name <> (select event_name from given) then false
                    when l.created_at < (select not_before from given) then false
                    when (select shards from given) > 1 then
                        (l.key_hash & 2147483647) % (select shards from given)
                            = (select shard from given)
                    else true
                end
            order by l.tx, l.position
            limit 10000
        ) l
        order by l.tx, l.position
        limit (select most from given)
    ) e
    -- As in `new`: both come in this order, so that they are merged, and the page is not sorted.
    order by e.position
    limit (select most from given)
), new as (
    select * from (
        select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
        from "outbox".event e
        where e.position > (select high from given) and e.position <= (select bound from span)
            and (e.tx > (select next from given) or e.position <= (select up_to from restored))
            and case
                when e.name <> (select event_name from given) then false
                when e.created_at < (select not_before from given) then false
                when (select shards from given) > 1 then
                    (e.key_hash & 2147483647) % (select shards from given) = (select shard from given)
                else true
            end
        order by e.position
        limit 10000
    ) e
    order by e.position
    limit (select most from given)
), page as materialized (
    select * from (select * from late union all select * from new) both_parts
    order by position
    limit (select most from given)
), own as materialized (
    select pg_current_xact_id()::text as id from mark
    where mark.high - (select high from given) >= (select growth from given)
        or exists (select from page)
)
select null::bigint as position, null::uuid as id, null::text as name, null::integer as version,
       null::text as key,
       jsonb_build_object(
           'now', clock_timestamp(), 'server', pg_postmaster_start_time(),
           'bound', (select bound from span), 'stray', mark.stray,
           'opened', (
               select jsonb_build_object('upto', mark.upto::text, 'high', mark.high, 'own', own.id)
               from own
           )
       ) as payload,
       null::jsonb as headers, null::timestamptz as created_at
from mark
union all
select * from page
