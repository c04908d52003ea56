-- One worker translates; the others come back later instead of waiting with a connection each.
select system_identifier from "outbox".meta for update skip locked
