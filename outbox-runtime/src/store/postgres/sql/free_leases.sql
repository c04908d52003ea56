-- Which of these shards nobody has, or had too long. Read-only: most of the time there are none.
select w.consumer, w.shard
from unnest($1::text[], $2::integer[]) as w (consumer, shard)
left join "outbox".lease l using (consumer, shard)
where l.consumer is null or l.worker is null or l.expires_at < clock_timestamp()
