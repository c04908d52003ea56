-- A worker that has handed back its leases is gone.
delete from "outbox".worker where id = $1
