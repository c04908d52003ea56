-- Takes leases that are free or expired. `previous` says who had not handed it back.
insert into "outbox".lease as l (consumer, shard, worker, epoch, expires_at)
select w.consumer, w.shard, $3, 1, clock_timestamp() + $4 * interval '1 microsecond'
from unnest($1::text[], $2::integer[]) as w (consumer, shard)
order by w.consumer, w.shard
on conflict (consumer, shard) do update
    set worker = excluded.worker, previous = coalesce(l.worker, l.previous), epoch = l.epoch + 1,
        expires_at = excluded.expires_at, in_flight = 0
    where l.worker is null or l.expires_at < clock_timestamp()
returning consumer, shard, previous is not null as unclean
