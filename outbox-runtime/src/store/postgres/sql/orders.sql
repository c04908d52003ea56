select shards, start, barrier, replay_until, replay_rate from "outbox".consumer where name = $1
