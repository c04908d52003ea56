select distinct on (consumer, shard) consumer, shard, progress, completed, handled, retried, dead
from "outbox".checkpoint order by consumer, shard, seq desc
