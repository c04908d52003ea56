-- What a worker has to react to, in one cheap look: the sum of its consumers' revisions, how many of
-- their shards nobody has, and which workers live.
--
-- ?1 the consumers that the worker knows, ?2 now
select (select coalesce(sum(revision), 0) from "outbox_consumer"
        where name in (select value from json_each(?1))),
       (select count(*) from "outbox_lease" l join "outbox_consumer" c on c.name = l.consumer
        where l.consumer in (select value from json_each(?1)) and l.shard < c.shards
            and c.paused_at_us is null and c.retired_at_us is null
            and (l.worker is null or l.expires_at_us < ?2)),
       (select json_group_array(hex(id)) from (
            select id from "outbox_worker" where expires_at_us >= ?2 and not leaving order by id))
