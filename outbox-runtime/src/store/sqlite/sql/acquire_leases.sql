-- Takes leases that are free or expired. `previous` says who had not handed it back.
insert into "outbox_lease" as l (consumer, shard, worker, epoch, expires_at_us)
select w.value ->> 'consumer', w.value ->> 'shard', ?2, 1, ?4
from json_each(?1) w
where true
on conflict (consumer, shard) do update
    set worker = excluded.worker, previous = coalesce(l.worker, l.previous), epoch = l.epoch + 1,
        expires_at_us = excluded.expires_at_us, in_flight = 0
    where l.worker is null or l.expires_at_us < ?3
returning consumer, shard, previous is not null as unclean
