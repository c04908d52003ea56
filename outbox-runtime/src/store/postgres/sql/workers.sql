select w.id, w.host, w.pid, w.version, w.consumers, w.started_at, w.heartbeat_at,
       w.expires_at >= clock_timestamp(), w.leaving,
       (select count(*) from "outbox".lease l
        where l.worker = w.id and l.expires_at >= clock_timestamp())
from "outbox".worker w
order by w.started_at, w.id
