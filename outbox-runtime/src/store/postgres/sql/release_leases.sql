update "outbox".lease l
set worker = null, previous = null, in_flight = 0, expires_at = clock_timestamp()
from unnest($2::text[], $3::integer[]) as h (consumer, shard)
where l.consumer = h.consumer and l.shard = h.shard and l.worker = $1
