insert into "outbox_checkpoint"
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker, at_us, drained)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
