select position, id, name, version, key, payload, headers, created_at
from "outbox".event
where ($1::uuid is null or id = $1)
    and ($2::text is null or name = $2)
    and ($3::text is null or key = $3)
    and ($4::text is null or (headers ? 'causation_id' and headers ->> 'causation_id' = $4))
    and position > $5
order by position
limit $6
