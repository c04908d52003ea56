-- Renews all leases of a worker, and says that it lives.
with alive as (
    insert into "outbox".worker as w (id, host, pid, version, consumers, leaving, expires_at)
    values ($1, $6, $7, $8, $9, $10, clock_timestamp() + $5 * interval '1 microsecond')
    on conflict (id) do update
        set heartbeat_at = clock_timestamp(), expires_at = excluded.expires_at,
            leaving = excluded.leaving
)
update "outbox".lease l
set expires_at = clock_timestamp() + $5 * interval '1 microsecond', in_flight = h.in_flight
from unnest($2::text[], $3::integer[], $4::integer[]) as h (consumer, shard, in_flight)
where l.consumer = h.consumer and l.shard = h.shard and l.worker = $1
returning l.consumer, l.shard
