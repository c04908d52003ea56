delete from "outbox".lease where consumer = $1 and shard >= $2
