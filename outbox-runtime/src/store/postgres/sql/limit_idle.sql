-- Ends the transaction of a process that says nothing for too long: it has been frozen, or its
-- machine is gone, and its locks would hold up its successor.
select set_config('idle_in_transaction_session_timeout', $1, true)
