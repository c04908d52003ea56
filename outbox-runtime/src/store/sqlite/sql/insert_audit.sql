insert into "outbox_audit" (consumer, position, event_id, outcome, note, attempt, at_us)
select ?1, a.value ->> 'position', unhex(a.value ->> 'event_id'), a.value ->> 'outcome',
       a.value ->> 'note', a.value ->> 'attempt', ?3
from json_each(?2) a
where true
on conflict (consumer, position) do update
    set outcome = excluded.outcome, note = excluded.note, attempt = excluded.attempt,
        at_us = excluded.at_us
