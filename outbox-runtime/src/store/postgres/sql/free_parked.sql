-- Parked deliveries with nothing before them in their key. Whatever removes a head frees the next
-- one itself; this is the net below.
update "outbox".delivery d set due_at = coalesce($5, clock_timestamp())
where d.consumer = $1 and (d.key_hash & 2147483647) % $3 = $2
    and d.state = 'parked' and d.due_at = 'infinity'
    and not exists (
        select from "outbox".paused_key p where p.consumer = d.consumer and p.key = d.key)
    and not exists (
        select from "outbox".delivery e
        where e.consumer = d.consumer and e.key = d.key and e.position < d.position
            and (e.state <> 'dead' or $4))
