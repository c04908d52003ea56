-- Events of the log, by id, by what caused them, or in its order: whichever index fits. (SQLite
-- makes its plan before it knows the parameters; conditions without a column are tested first.)
select * from (
    select position, id, name, version, key, payload, headers, created_at_us
    from "outbox_event"
    where ?1 is not null and id = ?1
        and (?2 is null or name = ?2)
        and (?3 is null or key = ?3)
        and (?4 is null or json_extract(headers, '$.causation_id') = ?4)
        and position > ?5
)
union all
select * from (
    select position, id, name, version, key, payload, headers, created_at_us
    from "outbox_event"
    where ?1 is null and ?4 is not null and json_extract(headers, '$.causation_id') = ?4
        and (?2 is null or name = ?2)
        and (?3 is null or key = ?3)
        and position > ?5
    order by position
    limit ?6
)
union all
select * from (
    select position, id, name, version, key, payload, headers, created_at_us
    from "outbox_event"
    where ?1 is null and ?4 is null
        and (?2 is null or name = ?2)
        and (?3 is null or key = ?3)
        and position > ?5
    order by position
    limit ?6
)
order by position
limit ?6
