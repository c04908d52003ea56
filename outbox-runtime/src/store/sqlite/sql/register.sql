-- Makes a consumer known. The first registration says where it starts and into how many shards it
-- is divided; later ones only say which event it takes. One that was retired begins anew.
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
on conflict (name) do update
    set event_name = excluded.event_name,
        event_version = max(c.event_version, excluded.event_version),
        ordered = excluded.ordered,
        shards = case when c.retired_at_us is null then c.shards else excluded.shards end,
        start = case when c.retired_at_us is null then c.start else excluded.start end,
        retired_at_us = null,
        revision = c.revision + case when c.retired_at_us is null then 0 else 1 end,
        last_seen_at_us = excluded.last_seen_at_us
returning shards
