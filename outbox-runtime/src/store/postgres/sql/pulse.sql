-- What a worker has to react to, in one cheap look: the sum of its consumers' revisions, how many of
-- their shards nobody has, and which workers live.
--
-- $1 the consumers that the worker knows
select (select coalesce(sum(revision), 0)::bigint from "outbox".consumer where name = any($1)),
       (select count(*) from "outbox".lease l join "outbox".consumer c on c.name = l.consumer
        where l.consumer = any($1) and l.shard < c.shards
            and c.paused_at is null and c.retired_at is null
            and (l.worker is null or l.expires_at < clock_timestamp())),
       (select coalesce(array_agg(id order by id), '{}') from "outbox".worker
        where expires_at >= clock_timestamp() and not leaving)
