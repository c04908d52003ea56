select position, id, name, version, key, payload, headers, created_at_us
from "outbox_event"
where (?1 is null or id = ?1)
    and (?2 is null or name = ?2)
    and (?3 is null or key = ?3)
    and (?4 is null or json_extract(headers, '$.causation_id') = ?4)
    and position > ?5
order by position
limit ?6
