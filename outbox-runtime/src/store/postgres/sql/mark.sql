-- A reader that has seen everything committed by now: snapshot, last position, own transaction id,
-- in this order (see open_window).
with mark as materialized (
    select pg_current_xact_id_if_assigned() is not null as stray, pg_current_snapshot() as upto,
           (select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0)
            from "outbox".event_position_seq) as high
)
select m.upto::text, m.high, (select pg_current_xact_id()::text from mark o where o.high >= 0),
       pg_postmaster_start_time(), m.stray
from mark m
