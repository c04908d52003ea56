select shards, start, barrier, replay_until, replay_rate from "outbox_consumer" where name = ?1
