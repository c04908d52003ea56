select min(position) from "outbox_event" where created_at_us >= ?1
