select key from "outbox_paused_key" where consumer = ?1
