-- What the workers were told, for those who look at a consumer that holds events back.
update "outbox_meta" set retain_us = ?1 where retain_us is not ?1
