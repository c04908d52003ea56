-- The checkpoint of a new epoch: the same progress under the next number, so that the worker
-- before collides with it.
insert into "outbox_checkpoint"
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker, at_us)
select c.consumer, c.shard, c.seq + 1, c.progress, c.completed, c.handled, c.retried, c.dead,
       ?3, ?4
from "outbox_checkpoint" c
where c.consumer = ?1 and c.shard = ?2
order by c.seq desc
limit 1
returning seq, progress, completed, handled, retried, dead
