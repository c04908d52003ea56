-- A worker that has handed back its last lease is gone.
delete from "outbox_worker"
where id = ?1 and not exists (select 1 from "outbox_lease" where worker = ?1)
