-- Any number of events, in the order of the array.
insert into "outbox_event" (id, name, version, key, key_hash, payload, headers, created_at_us)
select unhex(e.value ->> 'id'), ?1, ?2, e.value ->> 'key', e.value ->> 'key_hash',
       e.value ->> 'payload', e.value ->> 'headers', ?4
from json_each(?3) e
order by e.key
returning id, position
