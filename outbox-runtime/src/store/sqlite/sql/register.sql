-- Makes a consumer known. The first registration says where it starts and into how many shards it
-- is divided; later ones only say which event it takes.
insert into "outbox_consumer" as c
    (name, event_name, event_version, shards, start, first_seen_at_us, last_seen_at_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?6)
on conflict (name) do update
    set event_name = excluded.event_name,
        event_version = max(c.event_version, excluded.event_version),
        last_seen_at_us = excluded.last_seen_at_us
returning shards
