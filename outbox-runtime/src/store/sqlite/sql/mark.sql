-- A reader that has seen everything committed by now.
select coalesce(max(position), 0) from "outbox_event"
