delete from "outbox".audit where (consumer, position) in (
    select consumer, position from "outbox".audit
    where at < coalesce($1, clock_timestamp()) - $2::bigint * interval '1 microsecond'
    limit 10000)
