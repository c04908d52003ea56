-- The workers that live and are going to stay, with the consumers that they know.
select id, consumers from "outbox_worker" where expires_at_us >= ?1 and not leaving
