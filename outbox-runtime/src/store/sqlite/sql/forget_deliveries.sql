-- Deliveries that come from the log again.
delete from "outbox_delivery" as d
where d.consumer = ?1 and d.position >= ?2
    and exists (select 1 from "outbox_event" e where e.position = d.position)
