-- What a consumer's shards had done by the end of each span of time: the last checkpoint of each
-- shard in it. Counters are cumulative.
--
-- $1 consumer, $2 seconds that it goes back, $3 length of a span in seconds
select distinct on (k.shard, slot) k.shard, floor(extract(epoch from k.at) / $3)::bigint as slot,
       k.handled, k.retried, k.dead
from "outbox".checkpoint k
where k.consumer = $1 and k.at >= clock_timestamp() - $2 * interval '1 second'
order by k.shard, slot, k.seq desc
