create table if not exists webhook (
    delivery_id text primary key,
    kind text not null,
    repository text,
    received_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
    body text not null
);

create table if not exists repository_count (
    repository text not null,
    kind text not null,
    webhooks integer not null,
    primary key (repository, kind)
);

create table if not exists feed (
    id integer primary key,
    repository text not null,
    position integer not null unique,
    line text not null
);

create index if not exists feed_repository on feed (repository, position);
