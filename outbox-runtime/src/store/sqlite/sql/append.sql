-- One event.
insert into "outbox_event" (id, name, version, key, key_hash, payload, headers, created_at_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
returning position
