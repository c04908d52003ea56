-- With one `max` the other columns are those of the row that has it.
select consumer, shard, progress, completed, handled, retried, dead, max(seq)
from "outbox_checkpoint" group by consumer, shard
