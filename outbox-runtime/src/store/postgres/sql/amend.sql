-- Of a checkpoint that was appended in the same transaction: nobody has seen it yet.
update "outbox".checkpoint
set progress = $4, completed = $5, handled = $6, retried = $7, dead = $8
where consumer = $1 and shard = $2 and seq = $3
