select count(*) from "outbox_lease"
where consumer = ?1 and worker is not null and expires_at_us >= ?2
