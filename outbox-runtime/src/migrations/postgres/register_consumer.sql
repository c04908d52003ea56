select "outbox".register_consumer(:name, :event_name, :event_version, :ordered, :shards, :start);
