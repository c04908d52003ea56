-- Deletes what examine_range counts as deletable, by the progress of this very transaction.
--
-- $1 shards, $2 first, $3 last, $4 now, $5 age in microseconds
with need as materialized (
    select name, shard, shards, handled, not_before,
           late::xid8[] as late, late_after, late_in_window::xid8[] as late_in_window
    from jsonb_to_recordset($1) as n
        (name text, shard integer, shards integer, handled bigint, not_before timestamptz,
         late text[], late_after bigint, late_in_window text[])
), restored as materialized (
    select restored_up_to as up_to from "outbox".meta
)
delete from "outbox".event e
where e.position >= $2 and e.position <= $3
    and e.created_at < coalesce($4, clock_timestamp()) - $5::bigint * interval '1 microsecond'
    and not exists (
        select from need n
        where n.name = e.name and (e.key_hash & 2147483647) % n.shards = n.shard
            and (n.not_before is null or e.created_at >= n.not_before)
            and (e.position > n.handled
                or e.position > (select up_to from restored)
                    and (e.tx = any(n.late) and e.position > n.late_after
                        or e.tx = any(n.late_in_window))))
