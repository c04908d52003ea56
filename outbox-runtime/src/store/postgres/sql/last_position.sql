-- The last position drawn by this cluster's sequence, and the last one there is.
select (select coalesce(pg_sequence_last_value('"outbox".event_position_seq'::regclass), 0)
            from "outbox".event_position_seq),
       coalesce((select max(position) from "outbox".event), 0)
