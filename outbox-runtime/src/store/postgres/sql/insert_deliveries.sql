insert into "outbox".delivery
    (consumer, position, event_id, name, version, key, key_hash, payload, headers, event_created_at,
     state, attempts, due_at, started_at, errors, first_failed_at)
select $1, d.position, d.event_id, d.name, d.version, d.key, d.key_hash, d.payload, d.headers,
       d.event_created_at, d.state, d.attempts,
       coalesce(d.due_at, $2::timestamptz + d.due_in_us * interval '1 microsecond',
           clock_timestamp() + d.due_in_us * interval '1 microsecond', 'infinity'),
       case when d.started then clock_timestamp() end,
       case when d.error is null then '[]' else jsonb_build_array(d.error) end,
       case when d.error is not null then coalesce($2, clock_timestamp()) end
from unnest($3::bigint[], $4::uuid[], $5::text[], $6::integer[], $7::text[], $8::integer[],
            $9::jsonb[], $10::jsonb[], $11::timestamptz[], $12::text[], $13::integer[],
            $14::timestamptz[], $15::bigint[], $16::boolean[], $17::jsonb[])
    as d (position, event_id, name, version, key, key_hash, payload, headers, event_created_at,
          state, attempts, due_at, due_in_us, started, error)
on conflict (consumer, position) do nothing
