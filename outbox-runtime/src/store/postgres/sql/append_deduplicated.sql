-- One event with a dedup key: no row comes back if the key is taken (then `find_dedup` tells by
-- whom). An expired key counts as free. The transaction id is drawn before the position: the
-- `case` makes that a data dependency.
with claimed as (
    insert into "outbox".dedup as d (name, dedup_key, event_id, position, expires_at)
    values (
        $2, $8, $1,
        case when pg_current_xact_id() is not null
            then nextval(pg_get_serial_sequence('"outbox".event', 'position')) end,
        coalesce($10, clock_timestamp()) + $9 * interval '1 microsecond'
    )
    on conflict (name, dedup_key) do update
        set event_id = excluded.event_id, position = excluded.position, expires_at = excluded.expires_at
        where d.expires_at < coalesce($10, clock_timestamp())
    returning d.event_id, d.position
)
insert into "outbox".event (position, id, name, version, key, key_hash, payload, headers, created_at)
overriding system value
select c.position, c.event_id, $2, $3, $4, $5, $6, $7, coalesce($10, clock_timestamp()) from claimed c
returning position
