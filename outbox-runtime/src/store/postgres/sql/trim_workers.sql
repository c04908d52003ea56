-- Workers that died an hour ago, and hold no lease, are of interest to nobody.
delete from "outbox".worker w
where expires_at < clock_timestamp() - interval '1 hour'
    and not exists (select from "outbox".lease l where l.worker = w.id)
