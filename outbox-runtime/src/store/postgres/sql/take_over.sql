-- The checkpoint of a new epoch: the same progress under the next number, so that the worker
-- before collides with it. Only for the worker that has the lease: one that lost it must not throw
-- out the one that has it now. And in a database that was restored in another cluster there is
-- nothing to take over before its progress has been translated.
insert into "outbox".checkpoint (consumer, shard, seq, progress, completed, handled, retried, dead, worker)
select c.consumer, c.shard, c.seq + 1, c.progress, c.completed, c.handled, c.retried, c.dead, $3
from "outbox".checkpoint c
where c.consumer = $1 and c.shard = $2
    and exists (
        select from "outbox".lease l where l.consumer = $1 and l.shard = $2 and l.worker = $3)
    and (select m.system_identifier from "outbox".meta m)
        = (select s.system_identifier from pg_control_system() s)
order by c.seq desc
limit 1
returning seq, progress, completed, handled, retried, dead, pg_postmaster_start_time()
