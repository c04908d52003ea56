-- The last position drawn by this cluster's sequence, and the last one there is.
select (select case when is_called then last_value else 0 end from "outbox".event_position_seq),
       coalesce((select max(position) from "outbox".event), 0)
