-- What was parked because its key was paused may run: the first where the consumer is ordered (the
-- others follow it), all of them where it is not.
update "outbox".delivery d set due_at = coalesce($4, clock_timestamp())
where d.consumer = $1 and d.key = $2 and d.state = 'parked' and d.due_at = 'infinity'
    and (not $3 or not exists (
        select from "outbox".delivery e
        where e.consumer = $1 and e.key = $2 and e.position < d.position))
