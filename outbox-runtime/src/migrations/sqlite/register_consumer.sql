-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < :shards)
select :name, n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = :name and shard = n), 0),
       json_object('after', case when :start = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = :name and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values (:name, :event_name, :event_version, :ordered, :shards, :start,
        cast(unixepoch('subsec') * 1000000 as integer), cast(unixepoch('subsec') * 1000000 as integer))
on conflict (name) do update
    set event_name = excluded.event_name,
        event_version = max(c.event_version, excluded.event_version),
        ordered = excluded.ordered,
        shards = excluded.shards,
        start = excluded.start,
        retired_at_us = null,
        revision = c.revision + 1
    where c.retired_at_us is not null;
