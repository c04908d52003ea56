-- Appends nothing if this is not the server that the progress was read from (see window.rs), nor
-- where there are later checkpoints: a worker that was paused for so long that the number it is about
-- to use has been trimmed would have nothing to collide with.
insert into "outbox".checkpoint
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker, drained)
select $1::text, $2::integer, $3::bigint, $4::jsonb, $5::bigint[], $6::bigint, $7::bigint, $8::bigint,
       $9::uuid, $10::boolean
where pg_postmaster_start_time() = $11::timestamptz
    and not exists (
        select from "outbox".checkpoint l where l.consumer = $1 and l.shard = $2 and l.seq > $3)
