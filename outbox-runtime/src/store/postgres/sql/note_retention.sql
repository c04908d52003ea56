-- What the workers were told, for those who look at a consumer that holds events back.
update "outbox".meta set retain_us = $1 where retain_us is distinct from $1
