update "outbox_delivery" as d
set state = u.value ->> 'state',
    attempts = u.value ->> 'attempts',
    due_at_us = u.value ->> 'due_at_us',
    started_at_us = case when u.value ->> 'started' then ?3 end,
    errors = case when u.value ->> 'error' is null then d.errors
        else json_insert(d.errors, '$[#]', json(u.value ->> 'error')) end,
    first_failed_at_us = case when u.value ->> 'error' is null then d.first_failed_at_us
        else coalesce(d.first_failed_at_us, ?3) end
from json_each(?2) u
where d.consumer = ?1 and d.position = u.value ->> 'position'
