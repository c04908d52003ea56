-- One event for each row that a statement of the user's returns. It takes the place of the first
-- brace, and its arguments come first; the other braces are the numbers of ours.
with changed as (
{statement}
), appended as (
    insert into "outbox".event (id, name, version, key, key_hash, payload, headers, created_at)
    select e.id, ${name}, ${version}, e.key, "outbox".key_hash(coalesce(e.key, e.id::text)), e.payload, ${headers},
           coalesce(${now}, clock_timestamp())
    from (
        select "outbox".uuid_v7() as id, to_jsonb(c) as payload, to_jsonb(c) ->> ${key}::text as key
        from changed c
    ) e
    returning position, id, key, payload
)
select position, id, key, payload from appended order by position
