-- Deletes what examine_range counts as deletable, by the progress of this very transaction.
--
-- ?1 shards, ?2 first, ?3 last, ?4 older than this
with need as materialized (
    select value ->> 'name' as name, value ->> 'shard' as shard, value ->> 'shards' as shards,
           value ->> 'handled' as handled, value ->> 'not_before' as not_before
    from json_each(?1)
)
delete from "outbox_event" as e
where e.position >= ?2 and e.position <= ?3 and e.created_at_us < ?4
    and not exists (
        select 1 from need n
        where n.name = e.name and (e.key_hash & 2147483647) % n.shards = n.shard
            and (n.not_before is null or e.created_at_us >= n.not_before)
            and e.position > n.handled)
