delete from "outbox_checkpoint" where consumer = ?1 and shard = ?2 and seq <= ?3
