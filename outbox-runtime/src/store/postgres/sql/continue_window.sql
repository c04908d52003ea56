-- Reads the next page of an open window: what is visible in its snapshot `upto`, whatever has been
-- committed since.
--
-- $1 late transactions, $2 after, $3 next, $4 bound, $5 event name, $6 shard, $7 shards,
-- $8 not before, $9 limit, $10 upto, $11 after or high, whichever is greater, $12 bound of late events
with late as (
    select e.* from unnest($1::text[]::xid8[]) as x (tx)
    cross join lateral (
        select l.position, l.id, l.name, l.version, l.key, l.payload, l.headers, l.created_at
        from "outbox".event l
        where (l.tx, l.position) > (x.tx, $2) and (l.tx, l.position) <= (x.tx, $12)
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
    where e.position > $11 and e.position <= $4 and e.tx > $3::text::xid8
        and pg_visible_in_snapshot(e.tx, $10::text::pg_snapshot)
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
       clock_timestamp() as now
from (select * from late union all select * from new) p
order by p.position
limit $9
