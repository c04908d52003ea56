-- Opens a window and reads its first page where no transaction is late, as is the rule where little
-- happens: what open_window does, without the part that looks for late events. (open_window says why things
-- are as they are.) In `page` each parameter stands in a query of its own: that hides it from the planner
-- as well, and costs less than a row of all of them.
--
-- To read a single event with it costs the server half, since most of the cost is to set up the plan. For
-- the same reason it does not ask for the first event that is left: where retention has deleted what
-- follows `high`, it finds nothing and opens a window, and continue_window jumps. (Where it opens none, the
-- sequence is less than $9 past `high`, and so within `bound`.)
--
-- $1 high, $2 next, $3 positions to look at, $4 event name, $5 shard, $6 shards, $7 not before, $8 limit,
-- $9 growth worth a transaction id
with mark as materialized (
    select pg_current_xact_id_if_assigned() is not null as stray, pg_current_snapshot() as upto,
           (select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0)
            from "outbox".event_position_seq) as high
), page as materialized (
    select * from (
        select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
        from "outbox".event e
        where e.position > (select $1::bigint) and e.position <= (select $1::bigint + $3::bigint)
            and (e.tx > (select $2::text::xid8)
                or e.position <= (select restored_up_to from "outbox".meta))
            and case
                when e.name <> (select $4::text) then false
                when e.created_at < (select $7::timestamptz) then false
                when (select $6::integer) > 1 then
                    (e.key_hash & 2147483647) % (select $6::integer) = (select $5::integer)
                else true
            end
        order by e.position
        limit 10000
    ) e
    order by e.position
    limit (select $8::bigint)
), own as materialized (
    select pg_current_xact_id()::text as id from mark
    where mark.high - $1::bigint >= $9::bigint or exists (select from page)
)
select null::bigint as position, null::uuid as id, null::text as name, null::integer as version,
       null::text as key,
       jsonb_build_object(
           'now', clock_timestamp(), 'server', pg_postmaster_start_time(),
           'bound', $1::bigint + $3::bigint, 'stray', mark.stray,
           'opened', (
               select jsonb_build_object('upto', mark.upto::text, 'high', mark.high, 'own', own.id)
               from own
           )
       ) as payload,
       null::jsonb as headers, null::timestamptz as created_at
from mark
union all
select * from page
