-- What it follows must still be there. A worker that was paused for so long that others have
-- trimmed the number it is about to use would have nothing to collide with.
insert into "outbox_checkpoint"
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker, at_us)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
where exists (
    select 1 from "outbox_checkpoint" p where p.consumer = ?1 and p.shard = ?2 and p.seq = ?3 - 1)
