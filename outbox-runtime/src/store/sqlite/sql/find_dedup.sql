select event_id, position from "outbox_dedup" where name = ?1 and dedup_key = ?2
