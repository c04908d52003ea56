delete from "outbox_dedup" where (name, dedup_key) in (
    select name, dedup_key from "outbox_dedup"
    where expires_at_us < ?1 order by expires_at_us limit 10000)
