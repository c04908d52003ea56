-- Logical replication copies rows and no sequences.
select setval('"outbox".event_position_seq', $1)
