-- Appends nothing where there are later checkpoints: a worker that was paused for so long that the
-- number it is about to use has been trimmed would have nothing to collide with.
insert into "outbox_checkpoint"
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker, at_us, drained)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
where not exists (
    select 1 from "outbox_checkpoint" l where l.consumer = ?1 and l.shard = ?2 and l.seq > ?3)
