-- What the registry `Shop` needs of its database, by `outbox migrations generate`. Once it has
-- been applied anywhere it is never changed: what comes later is another file.
-- outbox: {"does":"file","database":"postgres","schema":"outbox","registry":"Shop"}

-- outbox: {"does":"tables","format":1}
do $outbox$
begin
if to_regclass('"outbox"."meta"') is not null then
    return;
end if;

-- The engine's tables. A plain sqlx migration: it works as it is with `sqlx migrate run`.
-- `Outbox::migrate()` applies the same text with "outbox" replaced by the schema of your choice.

create schema if not exists "outbox";

-- One row. `format_version` is the number of the newest migration that was applied.
create table "outbox".meta (
    only_row          boolean primary key default true check (only_row),
    format_version    integer not null,
    -- A different value after dump and restore, or after a logical failover: stored transaction
    -- ids then mean nothing any more.
    system_identifier bigint not null,
    created_at        timestamptz not null default clock_timestamp()
);

-- The log: one row an event, whatever the number of consumers; never updated.
--
-- `tx` stands before `position`: defaults are evaluated in the order of the columns, so the
-- transaction has its id before it draws a position. Reading in snapshot windows rests on this.
-- The sequence of `position` must not cache (its default), for the same reason.
create table "outbox".event (
    tx         xid8 not null default pg_current_xact_id(),
    position   bigint not null generated always as identity,
    id         uuid not null,
    name       text not null,
    version    integer not null,
    key        text,
    key_hash   integer not null,
    payload    jsonb not null,
    headers    jsonb not null default '{}' check (jsonb_typeof(headers) = 'object'),
    created_at timestamptz not null default clock_timestamp()
);
create unique index event_position on "outbox".event (position);
create index event_tx_position on "outbox".event (tx, position);
-- Ids are of version 7 and so nearly in the order of insertion: a block range index is enough.
create index event_id on "outbox".event using brin (id) with (pages_per_range = 32);
-- What an event caused; only caused events pay for it.
create index event_causation on "outbox".event ((headers ->> 'causation_id'))
    where headers ? 'causation_id';

create table "outbox".consumer (
    name          text primary key,
    event_name    text not null,
    event_version integer not null,
    shards        integer not null,
    start         text not null,
    options       jsonb not null default '{}',
    paused_at     timestamptz,
    first_seen_at timestamptz not null default clock_timestamp(),
    last_seen_at  timestamptz not null default clock_timestamp()
);

-- How far each shard has come. Append-only: the primary key makes two writers of one `seq`
-- collide, which is the fence against a worker that lost its lease. Counters are cumulative.
create table "outbox".checkpoint (
    consumer  text not null,
    shard     integer not null,
    seq       bigint not null,
    progress  jsonb not null,
    completed bigint[] not null default '{}',
    handled   bigint not null default 0,
    retried   bigint not null default 0,
    dead      bigint not null default 0,
    worker    uuid,
    at        timestamptz not null default clock_timestamp(),
    primary key (consumer, shard, seq)
);

-- Who runs a shard. `worker` is null once it was handed back; `previous` is who held it when it
-- was taken without having been handed back.
create table "outbox".lease (
    consumer   text not null,
    shard      integer not null,
    worker     uuid,
    previous   uuid,
    epoch      bigint not null,
    expires_at timestamptz not null,
    in_flight  integer not null default 0,
    primary key (consumer, shard)
) with (fillfactor = 50);

create table "outbox".worker (
    id           uuid primary key,
    host         text not null,
    pid          integer not null,
    version      text not null,
    started_at   timestamptz not null default clock_timestamp(),
    heartbeat_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Deliveries that could not simply be done: delayed, retrying, parked, waiting, dead. The event is
-- copied, so that retention never needs to ask. `due_at` is when the delivery runs by itself:
-- infinity for dead letters, for parked ones that are not at the head of their key, and for
-- versions that nobody here knows yet. `started_at` is set only while an attempt runs that was
-- recorded first, because its predecessor may have killed a worker.
create table "outbox".delivery (
    consumer         text not null,
    position         bigint not null,
    event_id         uuid not null,
    name             text not null,
    version          integer not null,
    key              text,
    key_hash         integer not null,
    payload          jsonb not null,
    headers          jsonb not null,
    event_created_at timestamptz not null,
    state            text not null check (state in ('delayed', 'retrying', 'parked', 'waiting', 'dead')),
    attempts         integer not null default 0,
    due_at           timestamptz not null,
    started_at       timestamptz,
    errors           jsonb not null default '[]',
    first_failed_at  timestamptz,
    primary key (consumer, position)
);
create index delivery_due on "outbox".delivery (consumer, due_at);
create index delivery_key on "outbox".delivery (consumer, key, position) where key is not null;
create index delivery_event on "outbox".delivery (event_id);

-- Only for emits with a dedup key.
create table "outbox".dedup (
    name       text not null,
    dedup_key  text not null,
    event_id   uuid not null,
    position   bigint not null,
    expires_at timestamptz not null,
    primary key (name, dedup_key)
);
create index dedup_expires on "outbox".dedup (expires_at);

-- Only for consumers with `audit`.
create table "outbox".audit (
    consumer text not null,
    position bigint not null,
    event_id uuid not null,
    outcome  text not null,
    note     text,
    attempt  integer not null,
    at       timestamptz not null default clock_timestamp(),
    primary key (consumer, position)
);
create index audit_event on "outbox".audit (event_id);

-- The hash that spreads keys over shards: the first four bytes of SHA-256, as the Rust side does.
create function "outbox".key_hash(key text) returns integer
    language sql immutable strict parallel safe
    return ('x' || encode(substring(sha256(convert_to(key, 'UTF8')) from 1 for 4), 'hex'))::bit(32)::integer;

-- A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds over a random UUID, whose version
-- bits 0100 become 0111.
create function "outbox".uuid_v7() returns uuid
    language sql volatile parallel safe
    return encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                from 1 for 6),
            52, 1), 53, 1),
        'hex')::uuid;

-- Emits an event from SQL, in the caller's transaction: from psql, triggers, and services in
-- other languages. Returns the event's id.
create function "outbox".emit(
    name text, version integer, key text, payload jsonb, headers jsonb default '{}'
) returns uuid
    language plpgsql volatile
as $$
#variable_conflict use_column
declare
    new_id uuid := "outbox".uuid_v7();
begin
    if $1 is null or octet_length($1) > 128 or $1 !~ '^[a-z0-9_-]+([.:/][a-z0-9_-]+)*$' then
        raise exception 'outbox.emit: % is not a valid event name', coalesce(quote_literal($1), 'null')
            using errcode = 'invalid_parameter_value',
                  hint = 'write lowercase segments of a-z, 0-9, _ and - joined by . : or /';
    end if;
    if $2 is null or $2 < 1 then
        raise exception 'outbox.emit: the version of % must be at least 1', $1
            using errcode = 'invalid_parameter_value';
    end if;
    if octet_length($3) > 1024 then
        raise exception 'outbox.emit: the key of % has % bytes, more than 1024', $1, octet_length($3)
            using errcode = 'invalid_parameter_value';
    end if;
    if $4 is null then
        raise exception 'outbox.emit: the payload of % is null', $1
            using errcode = 'null_value_not_allowed';
    end if;
    if octet_length($4::text) > 1048576 then
        raise exception 'outbox.emit: the payload of % has % bytes, more than 1048576', $1, octet_length($4::text)
            using errcode = 'program_limit_exceeded';
    end if;
    if jsonb_path_exists($4, 'strict $.**{128 to last} ? (@.type() == "object" || @.type() == "array")') then
        raise exception 'outbox.emit: the payload of % is nested deeper than 128', $1
            using errcode = 'program_limit_exceeded';
    end if;
    if $5 is null or jsonb_typeof($5) <> 'object'
        or jsonb_path_exists($5, '$.* ? (@.type() != "string")') then
        raise exception 'outbox.emit: the headers of % must be an object of strings', $1
            using errcode = 'invalid_parameter_value';
    end if;
    insert into "outbox".event (id, name, version, key, key_hash, payload, headers)
    values (new_id, $1, $2, $3, "outbox".key_hash(coalesce($3, new_id::text)), $4, $5);
    return new_id;
end
$$;

insert into "outbox".meta (format_version, system_identifier)
select 1, system_identifier from pg_control_system();
end
$outbox$;

-- outbox: {"does":"tables","format":2}
do $outbox$
begin
if (select format_version from "outbox"."meta") >= 2 then
    return;
end if;

-- What a fleet of workers needs: fair shares, operations on running consumers, retention, restores.

-- Grows with every operation on the consumer, so that workers notice.
alter table "outbox".consumer add column revision bigint not null default 0;
-- Whether its events of one key run one after another; what frees parked deliveries has to know.
alter table "outbox".consumer add column ordered boolean not null default false;
-- While the number of shards is changing: the new number, and the progress at which all old shards
-- stop before the new ones begin.
alter table "outbox".consumer add column target_shards integer;
alter table "outbox".consumer add column barrier jsonb;
-- While a replay with a rate goes on: its last position, and its events per second.
alter table "outbox".consumer add column replay_until bigint;
alter table "outbox".consumer add column replay_rate double precision;
-- It is run no more and holds nothing back; its ledger stays, since it is the fence.
alter table "outbox".consumer add column retired_at timestamptz;

-- The shard has come to the barrier, and nothing of it is being handled.
alter table "outbox".checkpoint add column drained boolean not null default false;

-- Which consumers a worker knows, until when it counts as alive, and whether it is about to stop:
-- from these every worker reckons the same fair shares.
alter table "outbox".worker add column consumers text[] not null default '{}';
alter table "outbox".worker add column expires_at timestamptz not null default clock_timestamp();
alter table "outbox".worker add column leaving boolean not null default false;

-- Keys of a consumer that somebody has paused: their events are parked.
create table "outbox".paused_key (
    consumer  text not null,
    key       text not null,
    paused_at timestamptz not null default clock_timestamp(),
    primary key (consumer, key)
);

-- Events up to this position came from another cluster by dump and restore, or by logical
-- replication: their transaction ids mean nothing here, and all of them are committed.
alter table "outbox".meta add column restored_up_to bigint not null default 0;
-- How long events are kept, as the workers were last told; null while nobody deletes any.
alter table "outbox".meta add column retain_us bigint;

-- Rows are appended in the order of time, nearly: a block range index is enough to find a time.
create index event_created_at on "outbox".event using brin (created_at) with (pages_per_range = 32);

create index audit_at on "outbox".audit using brin (at) with (pages_per_range = 32);

update "outbox".meta set format_version = 2;
end
$outbox$;

-- outbox: {"does":"tables","format":3}
do $outbox$
begin
if (select format_version from "outbox"."meta") >= 3 then
    return;
end if;

-- What generated migrations and views call: consumers made known and retired from SQL, and values
-- of payloads read as types, so that a view fails on no row.

-- Makes a consumer known before its first worker comes, so that what is emitted from now on is kept
-- for it. Does nothing to one that is known; one that was retired begins anew. `start` is 'now',
-- 'beginning', or a time.
create function "outbox".register_consumer(
    name text, event_name text, event_version integer, ordered boolean, shards integer, start text
) returns void
    language plpgsql volatile
as $$
#variable_conflict use_column
declare
    seen pg_snapshot;
    high bigint;
    own bigint;
    next bigint;
    progress jsonb := '{"done": "1:1:", "next": 0, "high": 0}';
begin
    if $6 not in ('now', 'beginning') then
        perform $6::timestamptz;
    end if;
    perform from "outbox".meta for key share;
    if (select system_identifier from pg_control_system()) <> (select system_identifier from "outbox".meta) then
        raise exception 'outbox.register_consumer: these tables were restored from another server'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'start a worker once, which translates what they hold, and run this again';
    end if;

    -- "Now" is a snapshot, then the last position, then a transaction id, drawn in this order (see
    -- mark.sql). This transaction may have drawn its id long ago; a block with an exception handler
    -- is a subtransaction, and draws one of its own when it writes: the first half of `xmin`, to
    -- which the second half is that of the transaction's id, or one more.
    seen := pg_current_snapshot();
    select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0) into high
    from "outbox".event_position_seq;
    own := pg_current_xact_id()::text::bigint;
    begin
        insert into "outbox".consumer as c (name, event_name, event_version, ordered, shards, start)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (name) do update
            set event_name = excluded.event_name,
                event_version = greatest(c.event_version, excluded.event_version),
                ordered = excluded.ordered,
                shards = excluded.shards,
                start = excluded.start,
                retired_at = null,
                revision = c.revision + 1
            where c.retired_at is not null
        returning (own & -4294967296) | xmin::text::bigint into next;
    exception
        when raise_exception then raise;
    end;
    if next is null then
        return;
    end if;
    if $6 = 'now' then
        next := case when next < own then next + 4294967296 else next end;
        progress := jsonb_build_object('done', seen::text, 'next', next, 'high', high);
    end if;
    insert into "outbox".checkpoint (consumer, shard, seq, progress)
    select $1, s.shard,
           coalesce((select max(k.seq) + 1 from "outbox".checkpoint k where k.consumer = $1 and k.shard = s.shard), 0),
           progress
    from generate_series(0, $5 - 1) as s (shard);
end
$$;

-- Retires a consumer whose code is gone, so that it holds nothing back any more; returns how many
-- deliveries (dead letters too) went with it. Refuses while a worker runs it, and, unless it is told
-- to drop its work, while there are deliveries or events that it has not handled.
create function "outbox".retire_consumer(name text, drop_work boolean default false) returns bigint
    language plpgsql volatile
as $$
#variable_conflict use_column
declare
    known "outbox".consumer;
    deliveries bigint;
    unread bigint;
begin
    select * into known from "outbox".consumer c where c.name = $1 for update;
    if not found or known.retired_at is not null then
        return 0;
    end if;
    if exists (select from "outbox".lease l
               where l.consumer = $1 and l.worker is not null and l.expires_at >= clock_timestamp()) then
        raise exception 'outbox.retire_consumer: a worker runs %', $1
            using errcode = 'object_in_use',
                  hint = 'deploy without it, or pause it, and run this again';
    end if;

    -- The fence: whoever still believes to have a shard collides with these.
    insert into "outbox".checkpoint (consumer, shard, seq, progress, completed, handled, retried, dead)
    select k.consumer, k.shard, k.seq + 1, k.progress, k.completed, k.handled, k.retried, k.dead
    from generate_series(0, known.shards - 1) as s (shard)
    cross join lateral (
        select k.* from "outbox".checkpoint k
        where k.consumer = $1 and k.shard = s.shard
        order by k.seq desc
        limit 1
    ) k;

    select count(*) into deliveries from "outbox".delivery d where d.consumer = $1;
    if not drop_work then
        -- What lag.sql counts, of every shard.
        select count(*) into unread
        from generate_series(0, known.shards - 1) as s (shard)
        cross join lateral (
            select k.completed,
                   split_part(k.progress ->> 'done', ':', 2)::bigint as xmax,
                   nullif(split_part(k.progress ->> 'done', ':', 3), '') as xip,
                   (k.progress ->> 'next')::bigint as next,
                   (k.progress ->> 'high')::bigint as high,
                   coalesce((k.progress -> 'window' ->> 'after')::bigint, 0) as after,
                   (k.progress -> 'window' ->> 'upto')::pg_snapshot as upto
            from "outbox".checkpoint k
            where k.consumer = $1 and k.shard = s.shard
            order by k.seq desc
            limit 1
        ) k
        cross join lateral (
            select coalesce(array_agg(id::text::xid8), '{}') as late
            from (select unnest(string_to_array(k.xip, ',')) union all
                  select generate_series(k.xmax, k.next - 1)::text) as l (id)
        ) l
        join "outbox".event e on e.name = known.event_name
            and (e.key_hash & 2147483647) % known.shards = s.shard
            and (known.start in ('now', 'beginning') or e.created_at >= known.start::timestamptz)
            and e.position <> all (k.completed)
            and case
                when e.position <= (select m.restored_up_to from "outbox".meta m)
                    then e.position > greatest(k.after, k.high)
                else (e.tx = any (l.late) or (e.position > k.high and e.tx > k.next::text::xid8))
                    and not (k.upto is not null and e.position <= k.after
                        and pg_visible_in_snapshot(e.tx, k.upto))
            end;
        if deliveries > 0 or unread > 0 then
            raise exception 'outbox.retire_consumer: % still has % deliveries (dead letters too) and % unread events',
                    $1, deliveries, unread
                using errcode = 'object_in_use',
                      hint = 'let it finish, or discard them, or call it with drop_work => true';
        end if;
    end if;

    delete from "outbox".delivery where consumer = $1;
    delete from "outbox".paused_key where consumer = $1;
    delete from "outbox".lease where consumer = $1;
    update "outbox".consumer
    set paused_at = null, retired_at = clock_timestamp(), target_shards = null, barrier = null,
        replay_until = null, replay_rate = null, revision = revision + 1
    where name = $1;
    return deliveries;
end
$$;

-- A value of a payload as a type, or null where it is none of that type: what somebody emitted from
-- SQL, or an older version had there, breaks no query.

create function "outbox".as_text(value jsonb) returns text
    language sql immutable parallel safe
    return case when jsonb_typeof(value) = 'string' then value #>> '{}' end;

create function "outbox".as_boolean(value jsonb) returns boolean
    language sql immutable parallel safe
    return case when jsonb_typeof(value) = 'boolean' then value::boolean end;

create function "outbox".as_numeric(value jsonb) returns numeric
    language sql immutable parallel safe
    return case when jsonb_typeof(value) = 'number' then value::numeric end;

create function "outbox".as_bigint(value jsonb) returns bigint
    language sql immutable parallel safe
    return case
        when jsonb_typeof(value) = 'number' then
            case when value::numeric = trunc(value::numeric)
                    and value::numeric between -9223372036854775808 and 9223372036854775807
                then value::numeric::bigint end
    end;

-- Numbers that are too large are infinite there, and those that are too small are 0, as IEEE 754
-- rounds them.
create function "outbox".as_double(value jsonb) returns double precision
    language sql immutable parallel safe
    return case
        when jsonb_typeof(value) = 'number' then
            case
                when abs(value::numeric) > 1.7976931348623157e308 then sign(value::numeric) * 'infinity'::double precision
                when abs(value::numeric) < 1e-307 then 0
                else value::numeric::double precision
            end
    end;

create function "outbox".as_uuid(value jsonb) returns uuid
    language sql immutable parallel safe
    return case
        when value #>> '{}' ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' then (value #>> '{}')::uuid
    end;

create function "outbox".as_date(value jsonb) returns date
    language sql immutable parallel safe
    return case
        when value #>> '{}' ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' then
            case when substring(value #>> '{}' from 9)::integer <= extract(day from
                    make_date(substring(value #>> '{}' from 1 for 4)::integer, substring(value #>> '{}' from 6 for 2)::integer, 1)
                    + interval '1 month' - interval '1 day')
                then make_date(substring(value #>> '{}' from 1 for 4)::integer, substring(value #>> '{}' from 6 for 2)::integer,
                               substring(value #>> '{}' from 9)::integer)
            end
    end;

-- A time as RFC 3339 writes it. It names its offset, so that it means the same whatever the session's
-- time zone is: immutable, unlike the cast.
create function "outbox".as_timestamptz(value jsonb) returns timestamptz
    language sql immutable parallel safe
    return case
        when value #>> '{}' ~ '^.{10}[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])$'
                and "outbox".as_date(to_jsonb(substring(value #>> '{}' from 1 for 10))) is not null
            then (value #>> '{}')::timestamptz
    end;

update "outbox".meta set format_version = 3;
end
$outbox$;

-- outbox: {"does":"view","event":"orders.cancelled","name":"v_orders_cancelled","columns":[["order_id","uuid"],["paid","bigint"]]}
create view "outbox"."v_orders_cancelled" as
select e.position,
       e.id,
       e.version,
       e.key,
       e.created_at,
       "outbox"."as_uuid"(e.payload -> 'order_id') as "order_id",
       "outbox"."as_bigint"(e.payload -> 'paid') as "paid"
from "outbox"."event" e
where e.name = 'orders.cancelled';

-- outbox: {"does":"view","event":"orders.paid","name":"v_orders_paid","columns":[["order_id","uuid"],["total","bigint"]]}
create view "outbox"."v_orders_paid" as
select e.position,
       e.id,
       e.version,
       e.key,
       e.created_at,
       "outbox"."as_uuid"(e.payload -> 'order_id') as "order_id",
       "outbox"."as_bigint"(e.payload -> 'total') as "total"
from "outbox"."event" e
where e.name = 'orders.paid';

-- outbox: {"does":"view","event":"orders.place","name":"v_orders_place","columns":[["input","json"],["output","json"]]}
create view "outbox"."v_orders_place" as
select e.position,
       e.id,
       e.version,
       e.key,
       e.created_at,
       nullif(e.payload -> 'input', 'null'::jsonb) as "input",
       nullif(e.payload -> 'output', 'null'::jsonb) as "output"
from "outbox"."event" e
where e.name = 'orders.place';

-- outbox: {"does":"view","event":"orders.shipped","name":"v_orders_shipped","columns":[["order_id","uuid"]]}
create view "outbox"."v_orders_shipped" as
select e.position,
       e.id,
       e.version,
       e.key,
       e.created_at,
       "outbox"."as_uuid"(e.payload -> 'order_id') as "order_id"
from "outbox"."event" e
where e.name = 'orders.shipped';

-- outbox: {"does":"view","event":"stock.short","name":"v_stock_short","columns":[["missing","bigint"],["sku","text"]]}
create view "outbox"."v_stock_short" as
select e.position,
       e.id,
       e.version,
       e.key,
       e.created_at,
       "outbox"."as_bigint"(e.payload -> 'missing') as "missing",
       "outbox"."as_text"(e.payload -> 'sku') as "sku"
from "outbox"."event" e
where e.name = 'stock.short';

-- outbox: {"does":"register","consumer":"payments.charge"}
select "outbox".register_consumer('payments.charge', 'orders.place', 1, false, 1, 'beginning');

-- outbox: {"does":"register","consumer":"stock.reserve"}
select "outbox".register_consumer('stock.reserve', 'orders.place', 1, true, 1, 'beginning');

-- outbox: {"does":"register","consumer":"mail.receipt"}
select "outbox".register_consumer('mail.receipt', 'orders.paid', 1, false, 1, 'beginning');

-- outbox: {"does":"register","consumer":"sales.report"}
select "outbox".register_consumer('sales.report', 'orders.paid', 1, false, 1, 'beginning');

-- outbox: {"does":"register","consumer":"orders.expire"}
select "outbox".register_consumer('orders.expire', 'orders.place', 1, false, 1, 'beginning');

-- outbox: {"does":"register","consumer":"payments.refund"}
select "outbox".register_consumer('payments.refund', 'orders.cancelled', 1, true, 1, 'beginning');
