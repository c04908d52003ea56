-- Reads the next page of an open window: what is visible in its snapshot `upto`, whatever has been
-- committed since. Of its rows the one without a position is the head of the page; see open_window.
--
-- What was restored from another cluster (see restore.rs) is never late, always new, and visible.
--
-- $1 late transactions, $2 after, $3 next, $4 positions to look at, $5 event name, $6 shard, $7 shards,
-- $8 not before, $9 limit, $10 upto, $11 after or high, whichever is greater,
-- $12 bound of late events
with given as materialized (
    select $1::text[]::xid8[] as late, $2::bigint as after, $3::text::xid8 as next,
           $4::bigint as positions, $5::text as event_name, $6::integer as shard,
           $7::integer as shards, $8::timestamptz as not_before, $9::bigint as most,
           $10::text::pg_snapshot as upto, $11::bigint as new_after, $12::bigint as late_upto
), restored as materialized (
    select restored_up_to as up_to from "outbox".meta
), span as materialized (
    select greatest(new_after, (select min(position) from "outbox".event) - 1) + positions as bound
    from given
), late as (
    select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
    from unnest((select late from given)) as x (tx)
    cross join lateral (
        select * from (
            select l.tx, l.position, l.id, l.name, l.version, l.key, l.payload, l.headers, l.created_at
            from "outbox".event l
            where (l.tx, l.position)
                    > (x.tx, greatest((select after from given), (select up_to from restored)))
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
    where pg_visible_in_snapshot(x.tx, (select upto from given))
    -- As in `new`: both come in this order, so that they are merged, and the page is not sorted.
    order by e.position
    limit (select most from given)
), new as (
    select * from (
        select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
        from "outbox".event e
        where e.position > (select new_after from given) and e.position <= (select bound from span)
            and (e.position <= (select up_to from restored)
                or (e.tx > (select next from given)
                    and pg_visible_in_snapshot(e.tx, (select upto from given))))
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
), page as (
    select * from (select * from late union all select * from new) both_parts
    order by position
    limit (select most from given)
)
select null::bigint as position, null::uuid as id, null::text as name, null::integer as version,
       null::text as key,
       jsonb_build_object(
           'now', clock_timestamp(), 'server', pg_postmaster_start_time(),
           'bound', (select bound from span),
           -- Whether this statement sees less than `upto`, as it may in somebody else's transaction.
           'stray', pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(given.upto)
               or exists (
                   select from pg_snapshot_xip(pg_current_snapshot()) as running (tx)
                   where pg_visible_in_snapshot(running.tx, given.upto)
               )
       ) as payload,
       null::jsonb as headers, null::timestamptz as created_at
from given
union all
select * from page
