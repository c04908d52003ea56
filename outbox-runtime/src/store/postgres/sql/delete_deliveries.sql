delete from "outbox".delivery where consumer = $1 and position = any($2)
