-- The next delivery of each key may run now, if it was only parked.
update "outbox".delivery d set due_at = coalesce($4, clock_timestamp())
from unnest($2::text[]) as k (key)
cross join lateral (
    select h.position from "outbox".delivery h
    where h.consumer = $1 and h.key = k.key and (h.state <> 'dead' or $3)
    order by h.position
    limit 1
) head
where d.consumer = $1 and d.position = head.position and d.state = 'parked' and d.due_at = 'infinity'
    and not exists (select from "outbox".paused_key p where p.consumer = $1 and p.key = k.key)
