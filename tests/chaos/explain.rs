//! What the database and the victims know of an event that was lost, or came twice, for whoever has to
//! find out why.

use std::collections::BTreeMap;
use std::time::Duration;

use outbox_tests::Db;

use crate::scene::Scene;

/// Prints it.
pub(crate) async fn lost<DB: Db>(scene: &Scene<DB>, consumer: &str, n: u64) {
    if !DB::IS_POSTGRES {
        println!("event {n} was lost for {consumer}");
        return;
    }
    let event = "(select * from outbox.event where coalesce(payload ->> 'n', payload ->> 'number')";
    let event = format!("{event} = '{n}') as lost");
    let shard_of = |key_hash: &str| {
        let shards = format!("(select shards from outbox.consumer where name = '{consumer}')");
        format!("(({key_hash} & 2147483647) % {shards})")
    };
    let questions = [
        ("event", format!("select lost::text || ' shard ' || {} from {event}", shard_of("key_hash"))),
        (
            "its transaction and its neighbours",
            format!(
                "select e.tx || ' ' || e.position || ' ' || e.key || ' ' || e.created_at || ' shard '
                     || {} || ' ' || e.payload::text
                 from {event} join outbox.event e
                     on e.tx = lost.tx or abs(e.position - lost.position) < 12
                 order by e.position",
                shard_of("e.key_hash")
            ),
        ),
        (
            "the ledger of its shard",
            format!(
                "select c.at || ' ' || c::text from {event} join outbox.checkpoint c
                     on c.consumer = '{consumer}' and c.shard = {}
                     and abs(extract(epoch from c.at - lost.created_at)) < 5
                 order by c.seq",
                shard_of("lost.key_hash")
            ),
        ),
        ("deliveries", "select d::text from outbox.delivery d".to_owned()),
    ];
    for (what, sql) in questions {
        println!("event {n} was lost for {consumer}: {what}");
        for row in scene.words(&sql).await {
            println!("    {}", row.join(" "));
        }
    }
    scene.lines(|lines| {
        let of_consumer = lines.iter().filter(|line| line.consumer == consumer);
        for line in of_consumer.filter(|line| line.n.abs_diff(n) < 12) {
            println!("    {line:?}");
        }
    });
}

/// Prints which events of `outside` came again, when by the time since `fault`, and the ledgers meanwhile.
pub(crate) async fn repeated<DB: Db>(scene: &Scene<DB>, fault: Duration) {
    let since = |at: Duration| at.as_secs_f64() - fault.as_secs_f64();
    let shards = scene.shards().await;
    scene.lines(|lines| {
        let mut deliveries = BTreeMap::<u64, Vec<_>>::new();
        for line in lines.iter().filter(|line| line.consumer == "outside") {
            deliveries.entry(line.n).or_default().push(line);
        }
        for (n, lines) in deliveries.iter().filter(|(_, lines)| lines.len() > 1) {
            let shard = shards.get(&lines[0].key);
            let when = lines.iter().map(|line| format!("{:.3} by {}", since(line.at), line.pid));
            println!(
                "event {n} of shard {shard:?} came at {}",
                when.collect::<Vec<_>>().join(", ")
            );
        }
    });
    if DB::IS_POSTGRES {
        let ledger = format!(
            "select 'shard ' || shard || ' seq ' || seq || ' at ' || extract(epoch from at) - {}
                    || ' handled ' || handled || ' by ' || coalesce(worker::text, '-')
             from outbox.checkpoint where consumer = 'outside' order by shard, seq",
            fault.as_secs_f64()
        );
        for row in scene.words(&ledger).await {
            println!("{}", row.join(" "));
        }
    }
}
