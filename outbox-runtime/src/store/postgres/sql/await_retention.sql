-- Keeps retention from deleting to the end of the transaction: for whatever moves progress back, or
-- begins at the beginning. Such transactions do not keep one another waiting.
select pg_advisory_xact_lock_shared(hashtextextended('outbox retention:' || $1, 0))
