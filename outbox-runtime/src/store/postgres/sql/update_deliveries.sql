update "outbox".delivery d
set state = u.state,
    attempts = u.attempts,
    due_at = coalesce(u.due_at, $2::timestamptz + u.due_in_us * interval '1 microsecond',
        clock_timestamp() + u.due_in_us * interval '1 microsecond', 'infinity'),
    started_at = case when u.started then clock_timestamp() end,
    errors = case when u.error is null then d.errors else d.errors || u.error end,
    first_failed_at = case when u.error is null then d.first_failed_at
        else coalesce(d.first_failed_at, $2, clock_timestamp()) end
from unnest($3::bigint[], $4::text[], $5::integer[], $6::timestamptz[], $7::bigint[],
            $8::boolean[], $9::jsonb[])
    as u (position, state, attempts, due_at, due_in_us, started, error)
where d.consumer = $1 and d.position = u.position
