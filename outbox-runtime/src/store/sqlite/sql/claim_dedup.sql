-- Says which event has a dedup key, after `append_deduplicated` found it free or expired.
insert into "outbox_dedup" (name, dedup_key, event_id, position, expires_at_us)
values (?1, ?2, ?3, ?4, ?5)
on conflict (name, dedup_key) do update
    set event_id = excluded.event_id, position = excluded.position,
        expires_at_us = excluded.expires_at_us
