-- The fence that carries the translated progress: whoever still has the old one collides with it.
insert into "outbox".checkpoint (consumer, shard, seq, progress, completed, handled, retried, dead)
select consumer, shard, seq + 1, $4, $5, handled, retried, dead
from "outbox".checkpoint
where consumer = $1 and shard = $2 and seq = $3
