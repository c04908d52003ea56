delete from "outbox".paused_key where consumer = $1
