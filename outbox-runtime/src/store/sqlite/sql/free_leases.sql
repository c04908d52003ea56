-- Which of these shards nobody has, or had too long. Read-only: most of the time there are none.
select w.value ->> 'consumer', w.value ->> 'shard'
from json_each(?1) w
left join "outbox_lease" l
    on l.consumer = w.value ->> 'consumer' and l.shard = w.value ->> 'shard'
where l.consumer is null or l.worker is null or l.expires_at_us < ?2
