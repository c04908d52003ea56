select position, event_id, name, version, key, payload, headers, event_created_at,
       consumer, state, attempts, case when due_at < 'infinity' then due_at end, errors, first_failed_at
from "outbox".delivery
where ($1::text is null or consumer = $1)
    and ($2::text is null or state = $2)
    and ($3::uuid is null or event_id = $3)
    and ($4::text is null or key = $4)
order by consumer, position
limit $5
