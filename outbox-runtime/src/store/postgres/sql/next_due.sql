-- (Nobody but a person sets '-infinity', from which nothing can be subtracted.)
select (
    select (extract(epoch from
        greatest(m.due_at, coalesce($2, clock_timestamp())) - coalesce($2, clock_timestamp())
    ) * 1000000)::bigint
    from (
        select min(d.due_at) as due_at
        from "outbox".delivery d
        where d.consumer = c.name and d.due_at < 'infinity'
    ) m
    where m.due_at is not null
)
from unnest($1::text[]) with ordinality as c (name, ordinal)
order by c.ordinal
