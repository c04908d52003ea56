-- Three ways to look, of which one is taken: each has an index of its own, and an `or` would use none.
select f.position, f.id, f.name, f.version, f.key, f.payload, f.headers, f.created_at
from (
    select e.* from "outbox".event e
    where $1::uuid is not null and e.id = $1
    union all
    select e.* from "outbox".event e
    where $1::uuid is null and $4::text is not null
        and e.headers ? 'causation_id' and e.headers ->> 'causation_id' = $4
    union all
    (select e.* from "outbox".event e
     where $1::uuid is null and $4::text is null and e.position > $5
        and ($2::text is null or e.name = $2)
        and ($3::text is null or e.key = $3)
     order by e.position
     limit $6)
) f
where ($2::text is null or f.name = $2)
    and ($3::text is null or f.key = $3)
    and ($4::text is null or (f.headers ? 'causation_id' and f.headers ->> 'causation_id' = $4))
    and f.position > $5
order by f.position
limit $6
