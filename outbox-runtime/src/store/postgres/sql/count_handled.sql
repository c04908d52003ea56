-- How many events handled.sql would return.
--
-- $1 late transactions, $2 after, $3 next, $4 high, $5 event name, $6 shard, $7 shards,
-- $8 not before, $9 completed, $10 upto of an open window, $11 from, $12 until, $13 since,
-- $14 before, $15 key, $16 ids
select count(*)
from "outbox".event e
where e.name = $5 and (e.key_hash & 2147483647) % $7 = $6
    and ($8::timestamptz is null or e.created_at >= $8)
    and (
        e.position = any($9)
        or case
            when e.position <= (select restored_up_to from "outbox".meta)
                then e.position <= greatest($2::bigint, $4::bigint)
            else not (e.tx = any($1::text[]::xid8[]) or (e.position > $4::bigint and e.tx > $3::text::xid8))
                or ($10::text is not null and e.position <= $2
                    and pg_visible_in_snapshot(e.tx, $10::text::pg_snapshot))
        end
    )
    and e.position >= $11
    and ($12::bigint is null or e.position <= $12)
    and ($13::timestamptz is null or e.created_at >= $13)
    and ($14::timestamptz is null or e.created_at < $14)
    and ($15::text is null or e.key = $15)
    and ($16::uuid[] is null or e.id = any($16))
