-- ?1 now
select w.id, w.host, w.pid, w.version, w.consumers, w.started_at_us, w.heartbeat_at_us,
       w.expires_at_us >= ?1, w.leaving,
       (select count(*) from "outbox_lease" l where l.worker = w.id and l.expires_at_us >= ?1)
from "outbox_worker" w
order by w.started_at_us, w.id
