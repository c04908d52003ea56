select distinct on (k.consumer, k.shard)
       k.consumer, k.shard, k.progress, k.completed, k.handled, k.retried, k.dead, c.start
from "outbox".checkpoint k join "outbox".consumer c on c.name = k.consumer
order by k.consumer, k.shard, k.seq desc
