select shards, start, target_shards is not null, barrier, replay_until, replay_rate from "outbox".consumer where name = $1
