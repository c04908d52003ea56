-- Reads the next page of an open window: what is visible in its snapshot `upto`, whatever has been
-- committed since.
--
-- What was restored from another cluster (see restore.rs) is never late, always new, and visible.
--
-- $1 late transactions, $2 after, $3 next, $4 positions to look at, $5 event name, $6 shard, $7 shards,
-- $8 not before, $9 limit, $10 upto, $11 after or high, whichever is greater,
-- $12 bound of late events
with restored as materialized (
    select restored_up_to as up_to from "outbox".meta
), span as materialized (
    select greatest($11, (select min(position) from "outbox".event) - 1) + $4::bigint as bound
), late as (
    select e.* from unnest($1::text[]::xid8[]) as x (tx)
    cross join lateral (
        select l.position, l.id, l.name, l.version, l.key, l.payload, l.headers, l.created_at
        from "outbox".event l
        where (l.tx, l.position) > (x.tx, greatest($2, (select up_to from restored)))
            and (l.tx, l.position) <= (x.tx, least($12, (select bound from span)))
            and case
                when l.name <> $5 then false
                when l.created_at < $8::timestamptz then false
                when $7 > 1 then (l.key_hash & 2147483647) % $7 = $6
                else true
            end
        order by l.tx, l.position
        limit $9
    ) e
    where pg_visible_in_snapshot(x.tx, $10::text::pg_snapshot)
), new as (
    select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
    from "outbox".event e
    where e.position > $11 and e.position <= (select bound from span)
        and (e.position <= (select up_to from restored)
            or (e.tx > $3::text::xid8 and pg_visible_in_snapshot(e.tx, $10::text::pg_snapshot)))
        and case
            when e.name <> $5 then false
            when e.created_at < $8::timestamptz then false
            when $7 > 1 then (e.key_hash & 2147483647) % $7 = $6
            else true
        end
    order by e.position
    limit $9
)
select p.position, p.id, p.name, p.version, p.key, p.payload, p.headers, p.created_at,
       clock_timestamp() as now, pg_postmaster_start_time() as server,
       (select bound from span) as bound
from (select) always
left join (
    select * from (select * from late union all select * from new) both_parts
    order by position
    limit $9
) p on true
order by p.position
