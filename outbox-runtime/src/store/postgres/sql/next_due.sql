select (extract(epoch from (
    select min(d.due_at) from "outbox".delivery d where d.consumer = c.name and d.due_at < 'infinity'
) - coalesce($2, clock_timestamp())) * 1000000)::bigint
from unnest($1::text[]) with ordinality as c (name, ordinal)
order by c.ordinal
