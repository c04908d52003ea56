-- One page of the log, and (in a row without an event) the newest position and the last one that
-- this read looked at. A single statement, so that all is of one moment. Written as a union the
-- page is neither copied nor sorted again: the reader puts the rows in order.
--
-- Each parameter stands in a query of its own, which hides it from the planner. A statement whose plan might be
-- another one with another value is compiled anew whenever it is bound (`sqlite3VdbeSetVarmask`; SQLite does so
-- for what `limit` and `=` are given, if it is built with STAT4, as sqlx's is), which takes ten times as long as
-- to read an event.
--
-- ?1 after, ?2 positions to look at, ?3 event name, ?4 shard, ?5 shards, ?6 not before, ?7 limit, ?8 barrier
with span as materialized (
    select (select max(position) from "outbox_event") as high,
           -- From the first event that is left: retention may have deleted any number before it.
           (select min(position) from "outbox_event" where position > (select ?1)) - 1 + (select ?2) as bound
)
select * from (
    select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at_us,
           null as high, null as bound
    from "outbox_event" e
    where e.position > (select ?1) and e.position <= (select bound from span) and e.position <= (select ?8)
        and e.name = (select ?3) and (e.key_hash & 2147483647) % (select ?5) = (select ?4)
        and ((select ?6) is null or e.created_at_us >= (select ?6))
    order by e.position
    limit (select ?7)
)
union all
select null, null, null, null, null, null, null, null, high, bound from span
