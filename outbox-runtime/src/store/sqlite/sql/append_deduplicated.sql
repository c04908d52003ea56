-- One event with a dedup key: no row comes back if the key is taken (then `find_dedup` tells by
-- whom). An expired key counts as free. This is a write, and so has the write lock before it
-- looks: nobody takes the key before `claim_dedup` does.
insert into "outbox_event" (id, name, version, key, key_hash, payload, headers, created_at_us)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
where not exists (
    select 1 from "outbox_dedup" where name = ?2 and dedup_key = ?9 and expires_at_us >= ?8)
returning position
