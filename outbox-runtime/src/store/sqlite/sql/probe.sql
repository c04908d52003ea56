-- Whether anything was committed since the last probe: the names of its first thousand events.
with page as materialized (
    select name from "outbox_event" where position > ?1 order by position limit 1000
)
select (select max(position) from "outbox_event"),
       (select count(*) from page),
       (select json_group_array(distinct name) from page)
