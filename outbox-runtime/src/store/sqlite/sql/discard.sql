-- Deletes some dead letters, in the order of consumers and positions, after the last ones. Returns
-- their keys, so that what waited behind them can go on.
delete from "outbox_delivery"
where (consumer, position) in (
    select consumer, position from "outbox_delivery"
    where state = 'dead'
        and (?1 is null or consumer = ?1)
        and (?2 is null or event_id = ?2)
        and (?3 is null or key = ?3)
        and (?5 is null or (consumer, position) > (?5, ?6))
    order by consumer, position
    limit ?4)
returning consumer, position, key
