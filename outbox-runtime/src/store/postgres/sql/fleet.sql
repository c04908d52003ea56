-- How shards are shared out: the workers that live and are going to stay, with the consumers that
-- they know; and the consumers that workers run, with their shards.
select id, consumers, null as name, null as shards from "outbox".worker
where expires_at >= clock_timestamp() and not leaving
union all
select null, null, name, shards from "outbox".consumer
where paused_at is null and retired_at is null
