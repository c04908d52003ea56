select position, event_id, name, version, key, payload, headers, event_created_at_us,
       consumer, state, attempts,
       case when due_at_us < 9223372036854775807 then due_at_us end, errors, first_failed_at_us
from "outbox_delivery"
where (?1 is null or consumer = ?1)
    and (?2 is null or state = ?2)
    and (?3 is null or event_id = ?3)
    and (?4 is null or key = ?4)
order by consumer, position
limit ?5
