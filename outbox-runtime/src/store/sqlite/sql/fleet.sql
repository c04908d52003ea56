-- How shards are shared out: the workers that live and are going to stay, with the consumers that
-- they know; and the consumers that workers run, with their shards.
select id, consumers, null as name, null as shards from "outbox_worker"
where expires_at_us >= ?1 and not leaving
union all
select null, null, name, shards from "outbox_consumer"
where paused_at_us is null and retired_at_us is null
