-- What was parked because its key was paused may run: the first where the consumer is ordered (the
-- others follow it), all of them where it is not.
update "outbox_delivery" as d set due_at_us = ?4
where d.consumer = ?1 and d.key = ?2 and d.state = 'parked' and d.due_at_us = 9223372036854775807
    and (not ?3 or not exists (
        select 1 from "outbox_delivery" e indexed by "outbox_delivery_key"
        where e.consumer = ?1 and e.key = ?2 and e.position < d.position))
