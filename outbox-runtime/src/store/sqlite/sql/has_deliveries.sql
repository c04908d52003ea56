select exists (select 1 from "outbox_delivery"
    where consumer = ?1 and (key_hash & 2147483647) % ?3 = ?2 and state <> 'dead')
