delete from "outbox_audit" where (consumer, position) in (
    select consumer, position from "outbox_audit" where at_us < ?1 order by at_us limit 10000)
