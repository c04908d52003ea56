-- Deliveries that come from the log again.
delete from "outbox".delivery d
where d.consumer = $1 and d.position >= $2
    and exists (
        select from "outbox".event e join "outbox".consumer c on c.event_name = e.name
        where e.position = d.position and c.name = $1)
