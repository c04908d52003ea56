-- What a worker has to react to, in one cheap look.
--
-- Whether anything was committed since the last probe: the names of its first thousand events. One
-- window without a filter; see open_window, also for why its parameters stand in a row.
--
-- And its pulse: the sum of its consumers' revisions, how many of their shards nobody has, and which
-- workers live.
--
-- $1 late transactions, $2 high, $3 next, $4 growth worth a transaction id, $5 the consumers that the
-- worker knows
with given as materialized (
    select $1::text[]::xid8[] as late, $2::bigint as high, $3::text::xid8 as next,
           $4::bigint as growth
), mark as materialized (
    select pg_current_xact_id_if_assigned() is not null as stray, pg_current_snapshot() as upto,
           (select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0)
            from "outbox".event_position_seq) as high
), restored as materialized (
    select restored_up_to as up_to from "outbox".meta
), page as materialized (
    select e.name from unnest((select late from given)) as x (tx)
    cross join lateral (
        select l.name from "outbox".event l
        where (l.tx, l.position) > (x.tx, (select up_to from restored)) and l.tx <= x.tx
        order by l.tx, l.position
        limit 1000
    ) e
    union all
    (select e.name from "outbox".event e
     where e.position > (select high from given)
         and (e.tx > (select next from given) or e.position <= (select up_to from restored))
     order by e.position
     limit 1000)
), own as materialized (
    select pg_current_xact_id()::text as id from mark
    where mark.high - (select high from given) >= (select growth from given)
        or exists (select from page)
)
select m.upto::text, m.high, o.id as own,
       (select count(*) from page) as found,
       (select array_agg(distinct name) from page) as names,
       pg_postmaster_start_time() as server, m.stray,
       (select coalesce(sum(revision), 0)::bigint from "outbox".consumer where name = any($5))
           as revision,
       (select count(*) from "outbox".lease l join "outbox".consumer c on c.name = l.consumer
        where l.consumer = any($5) and l.shard < c.shards
            and c.paused_at is null and c.retired_at is null
            and (l.worker is null or l.expires_at < clock_timestamp())) as free,
       (select coalesce(array_agg(id order by id), '{}') from "outbox".worker
        where expires_at >= clock_timestamp() and not leaving) as workers
from mark m left join own o on true
