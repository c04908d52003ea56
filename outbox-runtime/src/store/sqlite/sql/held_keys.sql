-- Keys of a shard that have a delivery which holds later ones back.
select distinct key from "outbox_delivery"
where consumer = ?1 and (key_hash & 2147483647) % ?3 = ?2 and key is not null
    and (state <> 'dead' or ?4)
