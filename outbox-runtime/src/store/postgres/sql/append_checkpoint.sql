-- What it follows must still be there. A worker that was paused for so long that others have
-- trimmed the number it is about to use would have nothing to collide with.
insert into "outbox".checkpoint
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker)
select $1::text, $2::integer, $3::bigint, $4::jsonb, $5::bigint[], $6::bigint, $7::bigint, $8::bigint, $9::uuid
where exists (
    select from "outbox".checkpoint p where p.consumer = $1 and p.shard = $2 and p.seq = $3 - 1)
