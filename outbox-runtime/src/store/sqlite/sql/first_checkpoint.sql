insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
values (?1, ?2, 0, ?3, ?4)
on conflict do nothing
