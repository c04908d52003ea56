-- What the registry `Shop` needs of its database, by `outbox migrations generate`. Once it has
-- been applied anywhere it is never changed: what comes later is another file.
-- outbox: {"does":"file","database":"sqlite","schema":"outbox","registry":"Shop"}

-- outbox: {"does":"tables","format":1}
-- The engine's tables. A plain sqlx migration: it works as it is with `sqlx migrate run`.
-- `Outbox::migrate()` applies the same text with "outbox_ replaced by the prefix of your choice.
--
-- Times are integers: microseconds since 1970 (columns end in _us); 9223372036854775807 is "never".
-- There is one writer at a time, so the order of positions is the order of commits.

-- One row. `format_version` is the number of the newest migration that was applied.
create table "outbox_meta" (
    only_row       integer primary key default 1 check (only_row = 1),
    format_version integer not null,
    created_at_us  integer not null
);

-- The log: one row an event, whatever the number of consumers; never updated. `autoincrement`
-- keeps the positions of deleted events from coming back.
create table "outbox_event" (
    position      integer primary key autoincrement,
    id            blob not null,
    name          text not null,
    version       integer not null,
    key           text,
    key_hash      integer not null,
    payload       text not null check (json_valid(payload)),
    headers       text not null default '{}' check (json_type(headers) = 'object'),
    created_at_us integer not null
);
create unique index "outbox_event_id" on "outbox_event" (id);
-- What an event caused; only caused events pay for it.
create index "outbox_event_causation" on "outbox_event" (json_extract(headers, '$.causation_id'))
    where json_extract(headers, '$.causation_id') is not null;

create table "outbox_consumer" (
    name             text primary key,
    event_name       text not null,
    event_version    integer not null,
    shards           integer not null,
    start            text not null,
    options          text not null default '{}',
    paused_at_us     integer,
    first_seen_at_us integer not null,
    last_seen_at_us  integer not null
) without rowid;

-- How far each shard has come. Append-only: the primary key makes two writers of one `seq`
-- collide, which is the fence against a worker that lost its lease. Counters are cumulative;
-- `completed` is a JSON array of positions.
create table "outbox_checkpoint" (
    consumer  text not null,
    shard     integer not null,
    seq       integer not null,
    progress  text not null,
    completed text not null default '[]',
    handled   integer not null default 0,
    retried   integer not null default 0,
    dead      integer not null default 0,
    worker    blob,
    at_us     integer not null,
    primary key (consumer, shard, seq)
) without rowid;

-- Who runs a shard. `worker` is null once it was handed back; `previous` is who held it when it
-- was taken without having been handed back.
create table "outbox_lease" (
    consumer      text not null,
    shard         integer not null,
    worker        blob,
    previous      blob,
    epoch         integer not null,
    expires_at_us integer not null,
    in_flight     integer not null default 0,
    primary key (consumer, shard)
) without rowid;

create table "outbox_worker" (
    id              blob primary key,
    host            text not null,
    pid             integer not null,
    version         text not null,
    started_at_us   integer not null,
    heartbeat_at_us integer not null
) without rowid;

-- Deliveries that could not simply be done: delayed, retrying, parked, waiting, dead. The event is
-- copied, so that retention never needs to ask. `due_at_us` is when the delivery runs by itself:
-- never for dead letters, for parked ones that are not at the head of their key, and for versions
-- that nobody here knows yet. `started_at_us` is set only while an attempt runs that was recorded
-- first, because its predecessor may have killed a worker.
create table "outbox_delivery" (
    consumer            text not null,
    position            integer not null,
    event_id            blob not null,
    name                text not null,
    version             integer not null,
    key                 text,
    key_hash            integer not null,
    payload             text not null,
    headers             text not null,
    event_created_at_us integer not null,
    state               text not null check (state in ('delayed', 'retrying', 'parked', 'waiting', 'dead')),
    attempts            integer not null default 0,
    due_at_us           integer not null,
    started_at_us       integer,
    errors              text not null default '[]',
    first_failed_at_us  integer,
    primary key (consumer, position)
) without rowid;
create index "outbox_delivery_due" on "outbox_delivery" (consumer, due_at_us);
create index "outbox_delivery_key" on "outbox_delivery" (consumer, key, position) where key is not null;
create index "outbox_delivery_event" on "outbox_delivery" (event_id);

-- Only for emits with a dedup key.
create table "outbox_dedup" (
    name          text not null,
    dedup_key     text not null,
    event_id      blob not null,
    position      integer not null,
    expires_at_us integer not null,
    primary key (name, dedup_key)
) without rowid;
create index "outbox_dedup_expires" on "outbox_dedup" (expires_at_us);

-- Only for consumers with `audit`.
create table "outbox_audit" (
    consumer text not null,
    position integer not null,
    event_id blob not null,
    outcome  text not null,
    note     text,
    attempt  integer not null,
    at_us    integer not null,
    primary key (consumer, position)
) without rowid;
create index "outbox_audit_event" on "outbox_audit" (event_id);

insert into "outbox_meta" (format_version, created_at_us)
values (1, cast(unixepoch('subsec') * 1000000 as integer));

-- outbox: {"does":"tables","format":2}
-- What a fleet of workers needs: fair shares, operations on running consumers, retention.

-- Grows with every operation on the consumer, so that workers notice.
alter table "outbox_consumer" add column revision integer not null default 0;
-- Whether its events of one key run one after another; what frees parked deliveries has to know.
alter table "outbox_consumer" add column ordered integer not null default 0;
-- While the number of shards is changing: the new number, and the progress at which all old shards
-- stop before the new ones begin.
alter table "outbox_consumer" add column target_shards integer;
alter table "outbox_consumer" add column barrier text;
-- While a replay with a rate goes on: its last position, and its events per second.
alter table "outbox_consumer" add column replay_until integer;
alter table "outbox_consumer" add column replay_rate real;
-- It is run no more and holds nothing back; its ledger stays, since it is the fence.
alter table "outbox_consumer" add column retired_at_us integer;

-- The shard has come to the barrier, and nothing of it is being handled.
alter table "outbox_checkpoint" add column drained integer not null default 0;

-- Which consumers a worker knows (a JSON array), until when it counts as alive, and whether it is
-- about to stop: from these every worker reckons the same fair shares.
alter table "outbox_worker" add column consumers text not null default '[]';
alter table "outbox_worker" add column expires_at_us integer not null default 0;
alter table "outbox_worker" add column leaving integer not null default 0;

-- Keys of a consumer that somebody has paused: their events are parked.
create table "outbox_paused_key" (
    consumer     text not null,
    key          text not null,
    paused_at_us integer not null,
    primary key (consumer, key)
) without rowid;

-- How long events are kept, as the workers were last told; null while nobody deletes any.
alter table "outbox_meta" add column retain_us integer;

create index "outbox_audit_at" on "outbox_audit" (at_us);

update "outbox_meta" set format_version = 2;

-- outbox: {"does":"view","event":"orders.cancelled","name":"v_orders_cancelled","columns":[["order_id","uuid"],["paid","bigint"]]}
create view "outbox_v_orders_cancelled" as
select e.position,
       lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) as id,
       e.version,
       e.key,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_us / 1000000.0, 'unixepoch') as created_at,
       case when json_type(e.payload -> '$."order_id"') = 'text' then (e.payload -> '$."order_id"') ->> '$' end as "order_id",
       case when json_type(e.payload -> '$."paid"') = 'integer' and typeof((e.payload -> '$."paid"') ->> '$') = 'integer' then (e.payload -> '$."paid"') ->> '$' end as "paid"
from "outbox_event" e
where e.name = 'orders.cancelled';

-- outbox: {"does":"view","event":"orders.paid","name":"v_orders_paid","columns":[["order_id","uuid"],["total","bigint"]]}
create view "outbox_v_orders_paid" as
select e.position,
       lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) as id,
       e.version,
       e.key,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_us / 1000000.0, 'unixepoch') as created_at,
       case when json_type(e.payload -> '$."order_id"') = 'text' then (e.payload -> '$."order_id"') ->> '$' end as "order_id",
       case when json_type(e.payload -> '$."total"') = 'integer' and typeof((e.payload -> '$."total"') ->> '$') = 'integer' then (e.payload -> '$."total"') ->> '$' end as "total"
from "outbox_event" e
where e.name = 'orders.paid';

-- outbox: {"does":"view","event":"orders.place","name":"v_orders_place","columns":[["input","json"],["output","json"]]}
create view "outbox_v_orders_place" as
select e.position,
       lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) as id,
       e.version,
       e.key,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_us / 1000000.0, 'unixepoch') as created_at,
       nullif(e.payload -> '$."input"', 'null') as "input",
       nullif(e.payload -> '$."output"', 'null') as "output"
from "outbox_event" e
where e.name = 'orders.place';

-- outbox: {"does":"view","event":"orders.shipped","name":"v_orders_shipped","columns":[["order_id","uuid"]]}
create view "outbox_v_orders_shipped" as
select e.position,
       lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) as id,
       e.version,
       e.key,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_us / 1000000.0, 'unixepoch') as created_at,
       case when json_type(e.payload -> '$."order_id"') = 'text' then (e.payload -> '$."order_id"') ->> '$' end as "order_id"
from "outbox_event" e
where e.name = 'orders.shipped';

-- outbox: {"does":"view","event":"stock.short","name":"v_stock_short","columns":[["missing","bigint"],["sku","text"]]}
create view "outbox_v_stock_short" as
select e.position,
       lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) as id,
       e.version,
       e.key,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_us / 1000000.0, 'unixepoch') as created_at,
       case when json_type(e.payload -> '$."missing"') = 'integer' and typeof((e.payload -> '$."missing"') ->> '$') = 'integer' then (e.payload -> '$."missing"') ->> '$' end as "missing",
       case when json_type(e.payload -> '$."sku"') = 'text' then (e.payload -> '$."sku"') ->> '$' end as "sku"
from "outbox_event" e
where e.name = 'stock.short';

-- outbox: {"does":"register","consumer":"payments.charge"}
-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < 1)
select 'payments.charge', n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = 'payments.charge' and shard = n), 0),
       json_object('after', case when 'beginning' = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = 'payments.charge' and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values ('payments.charge', 'orders.place', 1, false, 1, 'beginning',
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

-- outbox: {"does":"register","consumer":"stock.reserve"}
-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < 1)
select 'stock.reserve', n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = 'stock.reserve' and shard = n), 0),
       json_object('after', case when 'beginning' = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = 'stock.reserve' and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values ('stock.reserve', 'orders.place', 1, true, 1, 'beginning',
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

-- outbox: {"does":"register","consumer":"mail.receipt"}
-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < 1)
select 'mail.receipt', n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = 'mail.receipt' and shard = n), 0),
       json_object('after', case when 'beginning' = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = 'mail.receipt' and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values ('mail.receipt', 'orders.paid', 1, false, 1, 'beginning',
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

-- outbox: {"does":"register","consumer":"sales.report"}
-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < 1)
select 'sales.report', n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = 'sales.report' and shard = n), 0),
       json_object('after', case when 'beginning' = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = 'sales.report' and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values ('sales.report', 'orders.paid', 1, false, 1, 'beginning',
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

-- outbox: {"does":"register","consumer":"orders.expire"}
-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < 1)
select 'orders.expire', n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = 'orders.expire' and shard = n), 0),
       json_object('after', case when 'beginning' = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = 'orders.expire' and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values ('orders.expire', 'orders.place', 1, false, 1, 'beginning',
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

-- outbox: {"does":"register","consumer":"payments.refund"}
-- Where it starts: one row a shard. One that was retired begins anew, after its old rows.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
with recursive shard (n) as (select 0 union all select n + 1 from shard where n + 1 < 1)
select 'payments.refund', n,
       coalesce((select max(seq) + 1 from "outbox_checkpoint" where consumer = 'payments.refund' and shard = n), 0),
       json_object('after', case when 'beginning' = 'now' then coalesce((select max(position) from "outbox_event"), 0) else 0 end),
       cast(unixepoch('subsec') * 1000000 as integer)
from shard
where not exists (select 1 from "outbox_consumer" where name = 'payments.refund' and retired_at_us is null);
insert into "outbox_consumer" as c
    (name, event_name, event_version, ordered, shards, start, first_seen_at_us, last_seen_at_us)
values ('payments.refund', 'orders.cancelled', 1, true, 1, 'beginning',
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
