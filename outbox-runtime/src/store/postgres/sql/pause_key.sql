insert into "outbox".paused_key (consumer, key) values ($1, $2) on conflict do nothing
