insert into "outbox_paused_key" (consumer, key, paused_at_us) values (?1, ?2, ?3)
on conflict do nothing
