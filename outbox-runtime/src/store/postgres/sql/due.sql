-- Deliveries whose time has come, except of paused keys. Of an ordered consumer only the heads of
-- their keys.
select d.position, d.event_id, d.name, d.version, d.key, d.payload, d.headers, d.event_created_at,
       d.attempts, d.started_at is not null,
       coalesce(d.errors -> -1 ->> 'kind' = 'crash', false)
from "outbox".delivery d
where d.consumer = $1 and (d.key_hash & 2147483647) % $3 = $2
    and d.due_at <= coalesce($4, clock_timestamp())
    and d.position <> all($5)
    and not exists (
        select from "outbox".paused_key p where p.consumer = d.consumer and p.key = d.key)
    and (not $6 or d.key is null or not exists (
        select from "outbox".delivery e
        where e.consumer = d.consumer and e.key = d.key and e.position < d.position
            and (e.state <> 'dead' or $7)))
order by d.due_at, d.position
limit $8
