-- One event. The defaults give the transaction id, then the position, then the time.
insert into "outbox".event (id, name, version, key, key_hash, payload, headers, created_at)
values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, clock_timestamp()))
returning position
