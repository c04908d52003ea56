-- Everything but the lag, which depends on the progress of each shard.
select c.name, c.event_name, c.shards,
       coalesce(d.delayed, 0), coalesce(d.retrying, 0), coalesce(d.parked, 0),
       coalesce(d.waiting, 0), coalesce(d.dead, 0), d.oldest,
       coalesce(l.in_flight, 0), c.paused_at is not null, coalesce($1, clock_timestamp()),
       case when c.retired_at is null then (select retain_us from "outbox".meta) end
from "outbox".consumer c
left join lateral (
    select count(*) filter (where state = 'delayed') as delayed,
           count(*) filter (where state = 'retrying') as retrying,
           count(*) filter (where state = 'parked') as parked,
           count(*) filter (where state = 'waiting') as waiting,
           count(*) filter (where state = 'dead') as dead,
           min(event_created_at) filter (where state <> 'dead') as oldest
    from "outbox".delivery where consumer = c.name
) d on true
left join lateral (
    select sum(in_flight)::bigint as in_flight from "outbox".lease
    where consumer = c.name and worker is not null and expires_at >= clock_timestamp()
) l on true
where c.retired_at is null
order by c.name
