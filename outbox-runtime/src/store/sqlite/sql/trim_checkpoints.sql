-- The last checkpoint of each minute stays for a day: rates over time come from it. (SQLite deletes
-- as it goes, in the order of numbers; so the next one is still there.)
delete from "outbox_checkpoint" as k
where k.consumer = ?1 and k.shard = ?2 and k.seq <= ?3
    and (k.at_us < ?4 - 86400000000 or exists (
        select 1 from "outbox_checkpoint" n
        where n.consumer = k.consumer and n.shard = k.shard and n.seq = k.seq + 1
            and n.at_us / 60000000 = k.at_us / 60000000))
