select k.value from json_each(?2) k
where exists (
    select 1 from "outbox_delivery" d indexed by "outbox_delivery_key"
    where d.consumer = ?1 and d.key = k.value and (d.state <> 'dead' or ?3))
