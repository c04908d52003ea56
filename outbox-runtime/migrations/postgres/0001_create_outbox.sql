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
