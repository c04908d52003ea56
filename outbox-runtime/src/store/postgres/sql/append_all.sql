-- Any number of events, in the order of the arrays: defaults are evaluated above the sort.
insert into "outbox".event (id, name, version, key, key_hash, payload, headers, created_at)
select e.id, $2, $3, e.key, e.key_hash, e.payload, e.headers, coalesce($8, clock_timestamp())
from unnest($1::uuid[], $4::text[], $5::integer[], $6::jsonb[], $7::jsonb[])
    with ordinality as e (id, key, key_hash, payload, headers, ordinal)
order by e.ordinal
returning id, position
