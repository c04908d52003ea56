-- Everything but the lag, which depends on the progress of each shard.
select c.name, c.event_name, c.shards,
       coalesce(d.delayed, 0), coalesce(d.retrying, 0), coalesce(d.parked, 0),
       coalesce(d.waiting, 0), coalesce(d.dead, 0), d.oldest_us,
       coalesce(l.in_flight, 0), c.paused_at_us is not null,
       case when c.retired_at_us is null then (select retain_us from "outbox_meta") end
from "outbox_consumer" c
left join (
    select consumer,
           count(*) filter (where state = 'delayed') as delayed,
           count(*) filter (where state = 'retrying') as retrying,
           count(*) filter (where state = 'parked') as parked,
           count(*) filter (where state = 'waiting') as waiting,
           count(*) filter (where state = 'dead') as dead,
           min(event_created_at_us) filter (where state <> 'dead') as oldest_us
    from "outbox_delivery" group by consumer
) d on d.consumer = c.name
left join (
    select consumer, sum(in_flight) as in_flight from "outbox_lease"
    where worker is not null and expires_at_us >= ?1 group by consumer
) l on l.consumer = c.name
where c.retired_at_us is null
order by c.name
