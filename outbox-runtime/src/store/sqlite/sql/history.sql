-- What a consumer's shards had done by the end of each span of time: the last checkpoint of each
-- shard in it. Counters are cumulative.
--
-- ?1 consumer, ?2 from this time on, ?3 length of a span in microseconds
select k.shard, k.at_us / ?3 as slot, max(k.handled), max(k.retried), max(k.dead)
from "outbox_checkpoint" k
where k.consumer = ?1 and k.at_us >= ?2
group by k.shard, slot
order by k.shard, slot
