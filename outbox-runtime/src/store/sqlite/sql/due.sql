-- Deliveries whose time has come, except of paused keys. Of an ordered consumer only the heads of
-- their keys. (Left to itself the planner looks for an earlier delivery of the key among all that are
-- earlier.)
select d.position, d.event_id, d.name, d.version, d.key, d.payload, d.headers,
       d.event_created_at_us, d.attempts, d.started_at_us is not null,
       coalesce(d.errors ->> '$[#-1].kind' = 'crash', false)
from "outbox_delivery" d
where d.consumer = ?1 and (d.key_hash & 2147483647) % ?3 = ?2
    and d.due_at_us <= ?4
    and d.position not in (select value from json_each(?5))
    and not exists (
        select 1 from "outbox_paused_key" p where p.consumer = d.consumer and p.key = d.key)
    and (not ?6 or d.key is null or not exists (
        select 1 from "outbox_delivery" e indexed by "outbox_delivery_key"
        where e.consumer = d.consumer and e.key = d.key and e.position < d.position
            and (e.state <> 'dead' or ?7)))
order by d.due_at_us, d.position
limit ?8
