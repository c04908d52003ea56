select p.key from "outbox".paused_key p where p.consumer = $1
