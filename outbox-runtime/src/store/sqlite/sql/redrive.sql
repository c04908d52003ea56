-- Some dead letters, in the order of consumers and positions, after the last ones.
update "outbox_delivery"
set state = 'retrying', attempts = 0, due_at_us = ?5, started_at_us = null
where (consumer, position) in (
    select consumer, position from "outbox_delivery"
    where state = 'dead'
        and (?1 is null or consumer = ?1)
        and (?2 is null or event_id = ?2)
        and (?3 is null or key = ?3)
        and (?6 is null or (consumer, position) > (?6, ?7))
    order by consumer, position
    limit ?4)
returning consumer, position, key
