-- A range of the log, from the first event after a position: what may be deleted, what is too young,
-- what is old enough and kept for a consumer. An event is kept if a shard that reads it has not
-- handled it.
--
-- ?1 shards, ?2 after, ?3 at most up to, ?4 positions, ?5 older than this
with need as materialized (
    select value ->> 'name' as name, value ->> 'shard' as shard, value ->> 'shards' as shards,
           value ->> 'handled' as handled, value ->> 'not_before' as not_before
    from json_each(?1)
), span as materialized (
    select first, min(first - 1 + ?4, coalesce(?3, first - 1 + ?4)) as last
    from (
        select min(position) as first from "outbox_event"
        where position > ?2 and position <= coalesce(?3, 9223372036854775807)
    )
), seen as materialized (
    select e.position, e.created_at_us >= ?5 as young,
           exists (
               select 1 from need n
               where n.name = e.name and (e.key_hash & 2147483647) % n.shards = n.shard
                   and (n.not_before is null or e.created_at_us >= n.not_before)
                   and e.position > n.handled
           ) as held
    from "outbox_event" e
    where e.position >= (select first from span) and e.position <= (select last from span)
)
select (select first from span), (select last from span),
       min(position) filter (where young),
       max(position) filter (where not young),
       count(*) filter (where not young and not held),
       count(*) filter (where not young and held)
from seen
