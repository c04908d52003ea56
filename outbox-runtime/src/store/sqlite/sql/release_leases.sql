update "outbox_lease" as l
set worker = null, previous = null, in_flight = 0, expires_at_us = ?3
from json_each(?2) h
where l.consumer = h.value ->> 'consumer' and l.shard = h.value ->> 'shard' and l.worker = ?1
