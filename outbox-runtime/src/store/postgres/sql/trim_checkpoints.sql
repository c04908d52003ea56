-- The last checkpoint of each minute stays for a day: rates over time come from it.
delete from "outbox".checkpoint k
where k.consumer = $1 and k.shard = $2 and k.seq <= $3
    and (k.at < clock_timestamp() - interval '1 day' or exists (
        select from "outbox".checkpoint n
        where n.consumer = k.consumer and n.shard = k.shard and n.seq = k.seq + 1
            and date_trunc('minute', n.at) = date_trunc('minute', k.at)))
