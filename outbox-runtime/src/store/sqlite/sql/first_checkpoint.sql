-- Only where there is no other: a consumer that registers anew keeps its ledger, of which the
-- beginning may have been trimmed.
insert into "outbox_checkpoint" (consumer, shard, seq, progress, at_us)
select ?1, ?2, 0, ?3, ?4
where not exists (select 1 from "outbox_checkpoint" where consumer = ?1 and shard = ?2)
on conflict do nothing
