-- The next delivery of each key may run now, if it was only parked.
update "outbox_delivery" as d set due_at_us = ?4
where d.consumer = ?1 and d.state = 'parked' and d.due_at_us = 9223372036854775807
    and d.position in (
        select (
            select h.position from "outbox_delivery" h indexed by "outbox_delivery_key"
            where h.consumer = ?1 and h.key = k.value and (h.state <> 'dead' or ?3)
            order by h.position
            limit 1)
        from json_each(?2) k)
    and not exists (
        select 1 from "outbox_paused_key" p where p.consumer = d.consumer and p.key = d.key)
