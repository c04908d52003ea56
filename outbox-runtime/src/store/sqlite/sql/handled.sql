-- Events of a span that a shard has behind it: those that lag.sql would not count.
--
-- ?1 after, ?2 event name, ?3 shard, ?4 shards, ?5 completed, ?6 not before, ?7 from, ?8 until,
-- ?9 since, ?10 before, ?11 key, ?12 ids, ?13 limit
select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at_us
from "outbox_event" e
where (e.position <= ?1 or e.position in (select value from json_each(?5)))
    and e.name = ?2 and (e.key_hash & 2147483647) % ?4 = ?3
    and (?6 is null or e.created_at_us >= ?6)
    and e.position >= ?7
    and (?8 is null or e.position <= ?8)
    and (?9 is null or e.created_at_us >= ?9)
    and (?10 is null or e.created_at_us < ?10)
    and (?11 is null or e.key = ?11)
    and (?12 is null or hex(e.id) in (select upper(value) from json_each(?12)))
order by e.position
limit ?13
