-- Says that a worker lives.
insert into "outbox_worker"
    (id, host, pid, version, consumers, leaving, started_at_us, heartbeat_at_us, expires_at_us)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
on conflict (id) do update
    set heartbeat_at_us = excluded.heartbeat_at_us, expires_at_us = excluded.expires_at_us,
        leaving = excluded.leaving
