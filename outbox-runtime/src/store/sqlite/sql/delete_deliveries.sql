delete from "outbox_delivery"
where consumer = ?1 and position in (select value from json_each(?2))
