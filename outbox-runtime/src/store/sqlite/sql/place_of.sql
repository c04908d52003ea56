select position, key_hash, name from "outbox_event" where id = ?1
