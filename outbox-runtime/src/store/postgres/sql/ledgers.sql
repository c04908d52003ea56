select distinct on (shard) shard, seq, progress, completed, handled, retried, dead, drained
from "outbox".checkpoint where consumer = $1
order by shard, seq desc
