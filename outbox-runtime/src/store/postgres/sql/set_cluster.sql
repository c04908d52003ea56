update "outbox".meta set system_identifier = $1, restored_up_to = $2
