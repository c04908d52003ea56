-- Which server this is, which cluster it serves, and whose transaction ids the tables hold.
select pg_postmaster_start_time(), s.system_identifier, m.system_identifier
from "outbox".meta m, pg_control_system() s
