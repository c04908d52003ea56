with u as materialized (
    select value ->> 'position' as position, value ->> 'state' as state,
           value ->> 'attempts' as attempts, value ->> 'due_at_us' as due_at_us,
           value ->> 'started' as started, value ->> 'error' as error
    from json_each(?2)
)
update "outbox_delivery" as d
set state = u.state,
    attempts = u.attempts,
    due_at_us = u.due_at_us,
    started_at_us = case when u.started then ?3 end,
    errors = case when u.error is null then d.errors
        else json_insert(d.errors, '$[#]', json(u.error)) end,
    first_failed_at_us = case when u.error is null then d.first_failed_at_us
        else coalesce(d.first_failed_at_us, ?3) end
from u
where d.consumer = ?1 and d.position = u.position
