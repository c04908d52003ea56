-- Deliveries that waited for a worker that knows their version: here is one.
update "outbox".delivery set due_at = coalesce($5, clock_timestamp())
where consumer = $1 and (key_hash & 2147483647) % $3 = $2
    and state = 'waiting' and version <= $4 and due_at = 'infinity'
