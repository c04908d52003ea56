-- A change of shards that was going on goes on to a place of this cluster.
update "outbox".consumer set barrier = $1, revision = revision + 1 where barrier is not null
