select event_id, position from "outbox".dedup where name = $1 and dedup_key = $2
