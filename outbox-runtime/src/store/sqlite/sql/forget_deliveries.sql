-- Deliveries that come from the log again.
delete from "outbox_delivery" as d
where d.consumer = ?1 and d.position >= ?2
    and exists (
        select 1 from "outbox_event" e join "outbox_consumer" c on c.event_name = e.name
        where e.position = d.position and c.name = ?1)
