insert into "outbox_checkpoint"
    (consumer, shard, seq, progress, completed, handled, retried, dead, at_us)
select c.consumer, c.shard, c.seq + 1, c.progress, c.completed, c.handled, c.retried, c.dead, ?3
from "outbox_checkpoint" c
where c.consumer = ?1 and c.shard = ?2
order by c.seq desc
limit 1
returning shard, seq, progress, completed, handled, retried, dead, drained
