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
