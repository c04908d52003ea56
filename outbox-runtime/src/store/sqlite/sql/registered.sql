-- Which of these consumers have a first checkpoint for this shard.
select distinct consumer, shard from "outbox_checkpoint"
where consumer in (select value from json_each(?1))
