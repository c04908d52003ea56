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
