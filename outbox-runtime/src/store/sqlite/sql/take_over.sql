-- The checkpoint of a new epoch: the same progress under the next number, so that the worker
-- before collides with it. Only for the worker that has the lease: one that lost it must not throw
-- out the one that has it now.
insert into "outbox_checkpoint"
    (consumer, shard, seq, progress, completed, handled, retried, dead, worker, at_us)
select c.consumer, c.shard, c.seq + 1, c.progress, c.completed, c.handled, c.retried, c.dead,
       ?3, ?4
from "outbox_checkpoint" c
where c.consumer = ?1 and c.shard = ?2
    and exists (
        select 1 from "outbox_lease" l where l.consumer = ?1 and l.shard = ?2 and l.worker = ?3)
order by c.seq desc
limit 1
returning seq, progress, completed, handled, retried, dead
