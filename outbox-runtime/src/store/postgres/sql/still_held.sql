select k.key from unnest($2::text[]) as k (key)
where exists (
    select from "outbox".delivery d
    where d.consumer = $1 and d.key = k.key and (d.state <> 'dead' or $3))
