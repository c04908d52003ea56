-- Only where there is no other: a consumer that registers anew keeps its ledger, of which the
-- beginning may have been trimmed.
insert into "outbox".checkpoint (consumer, shard, seq, progress)
select $1, $2, 0, $3
where not exists (select from "outbox".checkpoint where consumer = $1 and shard = $2)
on conflict do nothing
