-- Some dead letters, in the order of consumers and positions, after the last ones.
update "outbox".delivery
set state = 'retrying', attempts = 0, due_at = coalesce($5, clock_timestamp()), started_at = null
where (consumer, position) in (
    select consumer, position from "outbox".delivery
    where state = 'dead'
        and ($1::text is null or consumer = $1)
        and ($2::uuid is null or event_id = $2)
        and ($3::text is null or key = $3)
        and ($6::text is null or (consumer, position) > ($6, $7))
    order by consumer, position
    limit $4
    for update)
returning consumer, position, key
