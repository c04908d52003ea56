delete from "outbox".delivery where consumer = $1 and event_id = $2 returning key
