-- `previous` stays where something may still have killed the worker before: whoever takes the shard
-- next has to be as careful.
update "outbox_lease" as l
set worker = null, previous = case when ?4 then null else coalesce(l.previous, l.worker) end,
    in_flight = 0, expires_at_us = ?3
from json_each(?2) h
where l.consumer = h.value ->> 'consumer' and l.shard = h.value ->> 'shard' and l.worker = ?1
