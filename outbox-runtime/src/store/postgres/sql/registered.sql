-- Which of these consumers have a first checkpoint for this shard.
select consumer, shard from "outbox".checkpoint
where consumer = any($1) group by consumer, shard
