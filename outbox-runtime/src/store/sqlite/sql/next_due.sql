select (
    select min(d.due_at_us) from "outbox_delivery" d
    where d.consumer = c.value and d.due_at_us < 9223372036854775807
) - ?2
from json_each(?1) c
order by c.key
