select "outbox".retire_consumer(:name, drop_work => :drop_work);
