-- Visible events that a shard has not handled: see window.rs for why these are they, and restore.rs
-- for those up to `restored_up_to`. What lies before the windows that are read is not looked at, but for
-- transactions that were late.
--
-- $1 late transactions, $2 after, $3 next, $4 high, $5 event name, $6 shard, $7 shards,
-- $8 not before, $9 completed, $10 upto of an open window (its rows up to `after` are handled)
select count(*), min(e.created_at)
from "outbox".event e
where (e.position > $4::bigint or e.tx = any($1::text[]::xid8[]))
    and e.name = $5 and (e.key_hash & 2147483647) % $7 = $6
    and ($8::timestamptz is null or e.created_at >= $8)
    and e.position <> all($9)
    and case
        when e.position <= (select restored_up_to from "outbox".meta)
            then e.position > greatest($2::bigint, $4::bigint)
        else (e.tx = any($1::text[]::xid8[]) or (e.position > $4::bigint and e.tx > $3::text::xid8))
            and not ($10::text is not null and e.position <= $2
                and pg_visible_in_snapshot(e.tx, $10::text::pg_snapshot))
    end
