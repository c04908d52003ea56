delete from "outbox_delivery" where consumer = ?1
