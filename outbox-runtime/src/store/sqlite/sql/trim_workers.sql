-- Workers that died an hour ago, and hold no lease, are of interest to nobody.
delete from "outbox_worker" as w
where expires_at_us < ?1 - 3600000000
    and not exists (select 1 from "outbox_lease" l where l.worker = w.id)
