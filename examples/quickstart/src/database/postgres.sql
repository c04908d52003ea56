-- Two processes that start at once take turns.
select pg_advisory_xact_lock(hashtext('quickstart'));

create schema if not exists quickstart;

create table if not exists quickstart.webhook (
    delivery_id text primary key,
    kind text not null,
    repository text,
    received_at timestamptz not null default now(),
    body text not null
);

create table if not exists quickstart.repository_count (
    repository text not null,
    kind text not null,
    webhooks bigint not null,
    primary key (repository, kind)
);

create table if not exists quickstart.feed (
    id bigint generated always as identity primary key,
    repository text not null,
    position bigint not null unique,
    line text not null
);

create index if not exists feed_repository on quickstart.feed (repository, position);
