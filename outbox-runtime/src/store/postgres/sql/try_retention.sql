-- One worker deletes at a time. A lock of the transaction, so that it works through a pooler.
select pg_try_advisory_xact_lock(hashtextextended('outbox retention:' || $1, 0))
