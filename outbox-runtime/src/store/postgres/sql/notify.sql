notify "outbox_wake"
