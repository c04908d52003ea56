-- Does nothing when the worker has just appended this number: to be repeated then.
insert into "outbox".checkpoint (consumer, shard, seq, progress, completed, handled, retried, dead)
select c.consumer, c.shard, c.seq + 1, c.progress, c.completed, c.handled, c.retried, c.dead
from "outbox".checkpoint c
where c.consumer = $1 and c.shard = $2
order by c.seq desc
limit 1
on conflict do nothing
returning shard, seq, progress, completed, handled, retried, dead, drained
