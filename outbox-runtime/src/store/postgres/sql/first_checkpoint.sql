insert into "outbox".checkpoint (consumer, shard, seq, progress)
values ($1, $2, 0, $3)
on conflict do nothing
