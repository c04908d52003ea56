delete from "outbox".delivery where consumer = $1
