insert into "outbox".audit (consumer, position, event_id, outcome, note, attempt)
select $1, a.position, a.event_id, a.outcome, a.note, a.attempt
from unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::integer[])
    as a (position, event_id, outcome, note, attempt)
on conflict (consumer, position) do update
    set outcome = excluded.outcome, note = excluded.note, attempt = excluded.attempt, at = excluded.at
