-- The workers that live and are going to stay, with the consumers that they know.
select id, consumers from "outbox".worker where expires_at >= clock_timestamp() and not leaving
