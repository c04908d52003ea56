-- Rows for the few events that a shard has not handled although they lie below its mark: those of
-- transactions that were open when it looked. See restore.rs for why these are they.
--
-- $1 consumer, $2 event name, $3 shard, $4 shards, $5 not before, $6 completed, $7 mark,
-- $8 late transactions, $9 which are read up to here, $10 late transactions of the open window,
-- $11 positions that this cluster drew anew, $12 now
insert into "outbox".delivery
    (consumer, position, event_id, name, version, key, key_hash, payload, headers, event_created_at,
     state, due_at)
select $1, e.position, e.id, e.name, e.version, e.key, e.key_hash, e.payload, e.headers,
       e.created_at, 'delayed', coalesce($12, clock_timestamp())
from "outbox".event e
where e.name = $2 and (e.key_hash & 2147483647) % $4 = $3
    and ($5::timestamptz is null or e.created_at >= $5)
    and e.position <= $7 and e.position <> all($6)
    and ((e.tx = any($8::text[]::xid8[]) and e.position > $9)
        or e.tx = any($10::text[]::xid8[])
        -- A row that this cluster wrote: in its transaction, or in a part of it that can be undone.
        or (e.position <= $11
            and e.xmin::text::bigint - (e.tx::text::bigint & 4294967295) between 0 and 1000))
on conflict (consumer, position) do nothing
