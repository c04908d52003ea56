select count(*) from "outbox".lease
where consumer = $1 and worker is not null and expires_at >= clock_timestamp()
