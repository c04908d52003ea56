select min(position) from "outbox".event where created_at >= $1
