-- Makes a consumer known. The first registration says where it starts and into how many shards it
-- is divided; later ones only say which event it takes.
insert into "outbox".consumer as c (name, event_name, event_version, shards, start)
values ($1, $2, $3, $4, $5)
on conflict (name) do update
    set event_name = excluded.event_name,
        event_version = greatest(c.event_version, excluded.event_version),
        last_seen_at = clock_timestamp()
returning shards
