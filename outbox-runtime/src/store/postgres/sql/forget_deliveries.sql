-- Deliveries that come from the log again.
delete from "outbox".delivery d
where d.consumer = $1 and d.position >= $2
    and exists (select from "outbox".event e where e.position = d.position)
