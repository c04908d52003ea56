-- Opens a window and reads its first page where no transaction is late and few events are expected, as
-- by a consumer that had caught up and is woken: what open_window_none_late does, for at most 32 events.
-- (open_window says why things are as they are.)
--
-- To set up the plan takes the server longer than to read a single event; this one has half the parts. What
-- holds for the page stands in each of its rows, of which there is one where nothing was found. `mark` is
-- not merged into the rest (`offset 0`), so that S, L and what is `stray` are evaluated once, before N.
-- Where L is null, whoever reads asks with open_window_none_late, which takes it for nothing, or is refused.
--
-- $1 high, $2 next, $3 positions to look at, $4 event name, $5 shard, $6 shards, $7 not before, $8 limit,
-- $9 growth worth a transaction id
select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at,
       mark.stray, mark.upto, mark.high,
       case when e.position is not null or mark.high - $1::bigint >= $9::bigint
           then pg_current_xact_id()::text end as own,
       $1::bigint + $3::bigint as bound, clock_timestamp() as now, pg_postmaster_start_time() as server
from (
    select pg_current_xact_id_if_assigned() is not null as stray, pg_current_snapshot()::text as upto,
           pg_sequence_last_value('"outbox".event_position_seq'::regclass) as high,
           (select restored_up_to from "outbox".meta) as restored_up_to
    offset 0
) as mark
left join lateral (
    select * from (
        select e.position, e.id, e.name, e.version, e.key, e.payload, e.headers, e.created_at
        from "outbox".event e
        where e.position > (select $1::bigint) and e.position <= (select $1::bigint + $3::bigint)
            and (e.tx > (select $2::text::xid8) or e.position <= mark.restored_up_to)
            and case
                when e.name <> (select $4::text) then false
                when e.created_at < (select $7::timestamptz) then false
                when (select $6::integer) > 1 then
                    (e.key_hash & 2147483647) % (select $6::integer) = (select $5::integer)
                else true
            end
        order by e.position
        limit 32
    ) e
    order by e.position
    limit (select $8::bigint)
) e on true
