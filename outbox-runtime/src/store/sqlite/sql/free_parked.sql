-- Parked deliveries with nothing before them in their key. Whatever removes a head frees the next
-- one itself; this is the net below.
update "outbox_delivery" as d set due_at_us = ?5
where d.consumer = ?1 and (d.key_hash & 2147483647) % ?3 = ?2
    and d.state = 'parked' and d.due_at_us = 9223372036854775807
    and not exists (
        select 1 from "outbox_paused_key" p where p.consumer = d.consumer and p.key = d.key)
    and not exists (
        select 1 from "outbox_delivery" e indexed by "outbox_delivery_key"
        where e.consumer = d.consumer and e.key = d.key and e.position < d.position
            and (e.state <> 'dead' or ?4))
