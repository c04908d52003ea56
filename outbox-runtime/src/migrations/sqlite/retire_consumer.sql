-- Only a trigger can refuse, so there is one for as long as this runs.
create temp table "outbox_retiring" (leases integer, work integer);
create temp trigger "outbox_retiring_refuses" before insert on "outbox_retiring"
begin
    select case when new.leases > 0 then raise(abort, :is_run)
                when new.work > 0 then raise(abort, :has_work) end;
end;
insert into temp."outbox_retiring" (leases, work)
select
    (select count(*) from "outbox_lease" l
     where l.consumer = c.name and l.worker is not null
         and l.expires_at_us >= cast(unixepoch('subsec') * 1000000 as integer)),
    case when :drop_work then 0 else
        (select count(*) from "outbox_delivery" d where d.consumer = c.name)
        + (select count(*)
           from "outbox_checkpoint" k
           join "outbox_event" e on e.position > json_extract(k.progress, '$.after') and e.name = c.event_name
               and (e.key_hash & 2147483647) % c.shards = k.shard
               and e.position not in (select value from json_each(k.completed))
               and (c.start in ('now', 'beginning') or e.created_at_us >= unixepoch(c.start, 'subsec') * 1000000)
           where k.consumer = c.name and k.shard < c.shards
               and k.seq = (select max(seq) from "outbox_checkpoint" where consumer = k.consumer and shard = k.shard))
    end
from "outbox_consumer" c
where c.name = :name and c.retired_at_us is null;
drop table temp."outbox_retiring";
-- The fence: whoever still believes to have a shard collides with these.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, completed, handled, retried, dead, at_us)
select k.consumer, k.shard, k.seq + 1, k.progress, k.completed, k.handled, k.retried, k.dead,
       cast(unixepoch('subsec') * 1000000 as integer)
from "outbox_consumer" c
join "outbox_checkpoint" k on k.consumer = c.name and k.shard < c.shards
where c.name = :name and c.retired_at_us is null
    and k.seq = (select max(seq) from "outbox_checkpoint" where consumer = k.consumer and shard = k.shard);
delete from "outbox_delivery" where consumer = :name
    and exists (select 1 from "outbox_consumer" where name = :name and retired_at_us is null);
delete from "outbox_paused_key" where consumer = :name;
delete from "outbox_lease" where consumer = :name
    and exists (select 1 from "outbox_consumer" where name = :name and retired_at_us is null);
update "outbox_consumer"
set paused_at_us = null, retired_at_us = cast(unixepoch('subsec') * 1000000 as integer),
    target_shards = null, barrier = null, replay_until = null, replay_rate = null, revision = revision + 1
where name = :name and retired_at_us is null;
