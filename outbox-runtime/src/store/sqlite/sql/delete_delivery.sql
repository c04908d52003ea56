delete from "outbox_delivery" where consumer = ?1 and event_id = ?2 returning key
