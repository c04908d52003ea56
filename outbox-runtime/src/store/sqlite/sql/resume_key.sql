delete from "outbox_paused_key" where consumer = ?1 and key = ?2
