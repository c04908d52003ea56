-- With one `max` the other columns are those of the row that has it.
select k.consumer, k.shard, k.progress, k.completed, k.handled, k.retried, k.dead, c.start, max(k.seq)
from "outbox_checkpoint" k join "outbox_consumer" c on c.name = k.consumer
group by k.consumer, k.shard
