delete from "outbox_lease" where consumer = ?1 and shard >= ?2
