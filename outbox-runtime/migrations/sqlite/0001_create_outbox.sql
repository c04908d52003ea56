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
