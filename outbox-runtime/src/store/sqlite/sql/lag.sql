-- Events that a shard has not handled.
select count(*), min(e.created_at_us)
from "outbox_event" e
where e.position > ?1 and e.name = ?2 and (e.key_hash & 2147483647) % ?4 = ?3
    and e.position not in (select value from json_each(?5))
    and (?6 is null or e.created_at_us >= ?6)
