insert into "outbox_delivery"
    (consumer, position, event_id, name, version, key, key_hash, payload, headers,
     event_created_at_us, state, attempts, due_at_us, started_at_us, errors, first_failed_at_us)
select ?1, d.value ->> 'position', unhex(d.value ->> 'event_id'), d.value ->> 'name',
       d.value ->> 'version', d.value ->> 'key', d.value ->> 'key_hash', d.value ->> 'payload',
       d.value ->> 'headers', d.value ->> 'event_created_at_us', d.value ->> 'state',
       d.value ->> 'attempts', d.value ->> 'due_at_us',
       case when d.value ->> 'started' then ?3 end,
       case when d.value ->> 'error' is null then '[]'
            else json_array(json(d.value ->> 'error')) end,
       case when d.value ->> 'error' is not null then ?3 end
from json_each(?2) d
where true
on conflict (consumer, position) do nothing
