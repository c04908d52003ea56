-- The open transactions that have written to the log, or ($1) those of them that are still open. A
-- position is drawn under this lock, and the lock is kept to the end of the transaction.
select coalesce(array_agg(distinct virtualtransaction), '{}')
from pg_locks
where locktype = 'relation' and relation = '"outbox".event'::regclass
    and database = (select oid from pg_database where datname = current_database())
    and mode = 'RowExclusiveLock' and granted and pid is distinct from pg_backend_pid()
    and ($1::text[] is null or virtualtransaction = any($1))
