-- Renews all leases of a worker.
update "outbox_lease" as l
set expires_at_us = ?3, in_flight = h.value ->> 'in_flight'
from json_each(?2) h
where l.consumer = h.value ->> 'consumer' and l.shard = h.value ->> 'shard' and l.worker = ?1
returning consumer, shard
