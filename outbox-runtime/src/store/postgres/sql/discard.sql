-- Deletes some dead letters, in the order of consumers and positions, after the last ones. Returns
-- their keys, so that what waited behind them can go on.
delete from "outbox".delivery
where (consumer, position) in (
    select consumer, position from "outbox".delivery
    where state = 'dead'
        and ($1::text is null or consumer = $1)
        and ($2::uuid is null or event_id = $2)
        and ($3::text is null or key = $3)
        and ($5::text is null or (consumer, position) > ($5, $6))
    order by consumer, position
    limit $4
    for update)
returning consumer, position, key
