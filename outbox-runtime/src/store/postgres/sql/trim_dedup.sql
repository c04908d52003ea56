-- Skips what an open transaction is about to use again.
delete from "outbox".dedup where (name, dedup_key) in (
    select name, dedup_key from "outbox".dedup
    where expires_at < coalesce($1, clock_timestamp()) order by expires_at limit 10000
    for update skip locked)
