-- What generated migrations and views call: consumers made known and retired from SQL, and values
-- of payloads read as types, so that a view fails on no row.

-- Makes a consumer known before its first worker comes, so that what is emitted from now on is kept
-- for it. Does nothing to one that is known; one that was retired begins anew. `start` is 'now',
-- 'beginning', or a time.
create function "outbox".register_consumer(
    name text, event_name text, event_version integer, ordered boolean, shards integer, start text
) returns void
    language plpgsql volatile
as $$
#variable_conflict use_column
declare
    seen pg_snapshot;
    high bigint;
    own bigint;
    next bigint;
    progress jsonb := '{"done": "1:1:", "next": 0, "high": 0}';
begin
    if $6 not in ('now', 'beginning') then
        perform $6::timestamptz;
    end if;
    perform from "outbox".meta for key share;
    if (select system_identifier from pg_control_system()) <> (select system_identifier from "outbox".meta) then
        raise exception 'outbox.register_consumer: these tables were restored from another server'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'start a worker once, which translates what they hold, and run this again';
    end if;

    -- "Now" is a snapshot, then the last position, then a transaction id, drawn in this order (see
    -- mark.sql). This transaction may have drawn its id long ago; a block with an exception handler
    -- is a subtransaction, and draws one of its own when it writes: the first half of `xmin`, to
    -- which the second half is that of the transaction's id, or one more.
    seen := pg_current_snapshot();
    select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0) into high
    from "outbox".event_position_seq;
    own := pg_current_xact_id()::text::bigint;
    begin
        insert into "outbox".consumer as c (name, event_name, event_version, ordered, shards, start)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (name) do update
            set event_name = excluded.event_name,
                event_version = greatest(c.event_version, excluded.event_version),
                ordered = excluded.ordered,
                shards = excluded.shards,
                start = excluded.start,
                retired_at = null,
                revision = c.revision + 1
            where c.retired_at is not null
        returning (own & -4294967296) | xmin::text::bigint into next;
    exception
        when raise_exception then raise;
    end;
    if next is null then
        return;
    end if;
    if $6 = 'now' then
        next := case when next < own then next + 4294967296 else next end;
        progress := jsonb_build_object('done', seen::text, 'next', next, 'high', high);
    end if;
    insert into "outbox".checkpoint (consumer, shard, seq, progress)
    select $1, s.shard,
           coalesce((select max(k.seq) + 1 from "outbox".checkpoint k where k.consumer = $1 and k.shard = s.shard), 0),
           progress
    from generate_series(0, $5 - 1) as s (shard);
end
$$;

-- Retires a consumer whose code is gone, so that it holds nothing back any more; returns how many
-- deliveries (dead letters too) went with it. Refuses while a worker runs it, and, unless it is told
-- to drop its work, while there are deliveries or events that it has not handled.
create function "outbox".retire_consumer(name text, drop_work boolean default false) returns bigint
    language plpgsql volatile
as $$
#variable_conflict use_column
declare
    known "outbox".consumer;
    deliveries bigint;
    unread bigint;
begin
    select * into known from "outbox".consumer c where c.name = $1 for update;
    if not found or known.retired_at is not null then
        return 0;
    end if;
    if exists (select from "outbox".lease l
               where l.consumer = $1 and l.worker is not null and l.expires_at >= clock_timestamp()) then
        raise exception 'outbox.retire_consumer: a worker runs %', $1
            using errcode = 'object_in_use',
                  hint = 'deploy without it, or pause it, and run this again';
    end if;

    -- The fence: whoever still believes to have a shard collides with these.
    insert into "outbox".checkpoint (consumer, shard, seq, progress, completed, handled, retried, dead)
    select k.consumer, k.shard, k.seq + 1, k.progress, k.completed, k.handled, k.retried, k.dead
    from generate_series(0, known.shards - 1) as s (shard)
    cross join lateral (
        select k.* from "outbox".checkpoint k
        where k.consumer = $1 and k.shard = s.shard
        order by k.seq desc
        limit 1
    ) k;

    select count(*) into deliveries from "outbox".delivery d where d.consumer = $1;
    if not drop_work then
        -- What lag.sql counts, of every shard.
        select count(*) into unread
        from generate_series(0, known.shards - 1) as s (shard)
        cross join lateral (
            select k.completed,
                   split_part(k.progress ->> 'done', ':', 2)::bigint as xmax,
                   nullif(split_part(k.progress ->> 'done', ':', 3), '') as xip,
                   (k.progress ->> 'next')::bigint as next,
                   (k.progress ->> 'high')::bigint as high,
                   coalesce((k.progress -> 'window' ->> 'after')::bigint, 0) as after,
                   (k.progress -> 'window' ->> 'upto')::pg_snapshot as upto
            from "outbox".checkpoint k
            where k.consumer = $1 and k.shard = s.shard
            order by k.seq desc
            limit 1
        ) k
        cross join lateral (
            select coalesce(array_agg(id::text::xid8), '{}') as late
            from (select unnest(string_to_array(k.xip, ',')) union all
                  select generate_series(k.xmax, k.next - 1)::text) as l (id)
        ) l
        join "outbox".event e on e.name = known.event_name
            and (e.key_hash & 2147483647) % known.shards = s.shard
            and (known.start in ('now', 'beginning') or e.created_at >= known.start::timestamptz)
            and e.position <> all (k.completed)
            and case
                when e.position <= (select m.restored_up_to from "outbox".meta m)
                    then e.position > greatest(k.after, k.high)
                else (e.tx = any (l.late) or (e.position > k.high and e.tx > k.next::text::xid8))
                    and not (k.upto is not null and e.position <= k.after
                        and pg_visible_in_snapshot(e.tx, k.upto))
            end;
        if deliveries > 0 or unread > 0 then
            raise exception 'outbox.retire_consumer: % still has % deliveries (dead letters too) and % unread events',
                    $1, deliveries, unread
                using errcode = 'object_in_use',
                      hint = 'let it finish, or discard them, or call it with drop_work => true';
        end if;
    end if;

    delete from "outbox".delivery where consumer = $1;
    delete from "outbox".paused_key where consumer = $1;
    delete from "outbox".lease where consumer = $1;
    update "outbox".consumer
    set paused_at = null, retired_at = clock_timestamp(), target_shards = null, barrier = null,
        replay_until = null, replay_rate = null, revision = revision + 1
    where name = $1;
    return deliveries;
end
$$;

-- A value of a payload as a type, or null where it is none of that type: what somebody emitted from
-- SQL, or an older version had there, breaks no query.

create function "outbox".as_text(value jsonb) returns text
    language sql immutable parallel safe
    return case when jsonb_typeof(value) = 'string' then value #>> '{}' end;

create function "outbox".as_boolean(value jsonb) returns boolean
    language sql immutable parallel safe
    return case when jsonb_typeof(value) = 'boolean' then value::boolean end;

create function "outbox".as_numeric(value jsonb) returns numeric
    language sql immutable parallel safe
    return case when jsonb_typeof(value) = 'number' then value::numeric end;

create function "outbox".as_bigint(value jsonb) returns bigint
    language sql immutable parallel safe
    return case
        when jsonb_typeof(value) = 'number' then
            case when value::numeric = trunc(value::numeric)
                    and value::numeric between -9223372036854775808 and 9223372036854775807
                then value::numeric::bigint end
    end;

-- Numbers that are too large are infinite there, and those that are too small are 0, as IEEE 754
-- rounds them.
create function "outbox".as_double(value jsonb) returns double precision
    language sql immutable parallel safe
    return case
        when jsonb_typeof(value) = 'number' then
            case
                when abs(value::numeric) > 1.7976931348623157e308 then sign(value::numeric) * 'infinity'::double precision
                when abs(value::numeric) < 1e-307 then 0
                else value::numeric::double precision
            end
    end;

create function "outbox".as_uuid(value jsonb) returns uuid
    language sql immutable parallel safe
    return case
        when value #>> '{}' ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' then (value #>> '{}')::uuid
    end;

create function "outbox".as_date(value jsonb) returns date
    language sql immutable parallel safe
    return case
        when value #>> '{}' ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' then
            case when substring(value #>> '{}' from 9)::integer <= extract(day from
                    make_date(substring(value #>> '{}' from 1 for 4)::integer, substring(value #>> '{}' from 6 for 2)::integer, 1)
                    + interval '1 month' - interval '1 day')
                then make_date(substring(value #>> '{}' from 1 for 4)::integer, substring(value #>> '{}' from 6 for 2)::integer,
                               substring(value #>> '{}' from 9)::integer)
            end
    end;

-- A time as RFC 3339 writes it. It names its offset, so that it means the same whatever the session's
-- time zone is: immutable, unlike the cast.
create function "outbox".as_timestamptz(value jsonb) returns timestamptz
    language sql immutable parallel safe
    return case
        when value #>> '{}' ~ '^.{10}[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])$'
                and "outbox".as_date(to_jsonb(substring(value #>> '{}' from 1 for 10))) is not null
            then (value #>> '{}')::timestamptz
    end;

update "outbox".meta set format_version = 3;
