-- Keeps retention from deleting to the end of the transaction: for whatever moves progress back.
select pg_advisory_xact_lock(hashtextextended('outbox retention:' || $1, 0))
