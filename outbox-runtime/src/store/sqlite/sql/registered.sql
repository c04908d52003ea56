select name, shards, event_name, event_version, ordered, revision, paused_at_us is not null,
       retired_at_us is not null
from "outbox_consumer" where name in (select value from json_each(?1))
