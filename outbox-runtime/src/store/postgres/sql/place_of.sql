select position, key_hash, name from "outbox".event where id = $1
