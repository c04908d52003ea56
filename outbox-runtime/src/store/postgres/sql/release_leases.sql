with gone as (
    delete from "outbox".worker
    where id = $1 and not exists (
        select from "outbox".lease l
        where l.worker = $1 and (l.consumer, l.shard) not in (
            select * from unnest($2::text[], $3::integer[])))
)
update "outbox".lease l
set worker = null, previous = null, in_flight = 0, expires_at = clock_timestamp()
from unnest($2::text[], $3::integer[]) as h (consumer, shard)
where l.consumer = h.consumer and l.shard = h.shard and l.worker = $1
