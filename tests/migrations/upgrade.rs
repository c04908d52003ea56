//! From an older state of the tables, with events and deliveries in them.

use anyhow::Result;
use outbox_codegen::migrations::Retire;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{DeliveryFilter, DeliveryState, Outbox, Worker};
use outbox_tests::Db;

use crate::both;
use crate::folder::{Folder, Migrated};
use crate::shop::{Seen, later};

both! { what_was_unfinished_goes_on }

/// A file of a generator that knew an older format, for the registry as it is now.
fn older(folder: &Folder, format: u32, database: &str) -> Result<()> {
    let mut text = format!(
        "-- outbox: {{\"does\":\"file\",\"database\":\"{database}\",\"schema\":\"outbox\",\"registry\":\"Shop\"}}\n"
    );
    for tables in folder.migrations().tables().iter().filter(|tables| tables.format <= format) {
        text.push_str(&format!(
            "\n-- outbox: {{\"does\":\"tables\",\"format\":{}}}\n{}",
            tables.format, tables.sql
        ));
    }
    folder.write("0001_outbox_create.sql", &text)
}

/// Three events, of which the consumer has handled the first, failed at the second, and given up on
/// the third; as its worker of that time wrote it.
async fn unfinished<DB: Db>(pool: &sqlx::Pool<DB>) -> Result<()> {
    for order in 1..=4 {
        let payload = format!(r#"{{"order": {order}, "customer": "ada", "amount": 5}}"#);
        DB::append(pool, "order.placed", 1, None, &payload).await?;
    }
    let postgres = [
        "insert into outbox.consumer (name, event_name, event_version, shards, start) \
         values ('charge', 'order.placed', 1, 1, 'beginning')",
        "insert into outbox.checkpoint (consumer, shard, seq, progress, completed, handled) \
         values ('charge', 0, 0, '{\"done\": \"1:1:\", \"next\": 0, \"high\": 0}', '{1,2,3}', 1)",
        "insert into outbox.delivery (consumer, position, event_id, name, version, key_hash, payload, headers, \
             event_created_at, state, attempts, due_at) \
         select 'charge', position, id, name, version, key_hash, payload, headers, created_at, \
             case position when 2 then 'retrying' else 'dead' end, position - 1, \
             case position when 2 then now() else 'infinity' end \
         from outbox.event where position in (2, 3)",
    ];
    let sqlite = [
        "insert into outbox_consumer (name, event_name, event_version, shards, start, first_seen_at_us, last_seen_at_us) \
         values ('charge', 'order.placed', 1, 1, 'beginning', 0, 0)",
        "insert into outbox_checkpoint (consumer, shard, seq, progress, completed, handled, at_us) \
         values ('charge', 0, 0, '{\"after\": 0}', '[1,2,3]', 1, 0)",
        "insert into outbox_delivery (consumer, position, event_id, name, version, key_hash, payload, headers, \
             event_created_at_us, state, attempts, due_at_us) \
         select 'charge', position, id, name, version, key_hash, payload, headers, created_at_us, \
             case position when 2 then 'retrying' else 'dead' end, position - 1, \
             case position when 2 then 0 else 9223372036854775807 end \
         from outbox_event where position in (2, 3)",
    ];
    for statement in if DB::IS_POSTGRES { postgres } else { sqlite } {
        DB::execute(pool, statement).await?;
    }
    Ok(())
}

async fn what_was_unfinished_goes_on<DB: Migrated>() -> Result<()> {
    let (newest, database_name) = if DB::IS_POSTGRES { (3, "postgres") } else { (2, "sqlite") };
    for format in 1..newest {
        let database = TestDatabase::<DB>::create().await?;
        let pool = database.pool();
        let folder = Folder::of::<DB>()?;
        older(&folder, format, database_name)?;
        folder.apply::<DB>(&database).await?;
        unfinished::<DB>(pool).await?;

        let missing = folder.pending::<later::Shop>()?.missing();
        let tables: Vec<String> = ((format + 1)..=newest)
            .map(|format| format!("the engine's tables, format {format}"))
            .collect();
        assert_eq!(missing[..tables.len()], tables);
        folder.generate::<later::Shop>(Retire::Never)?;
        folder.apply::<DB>(&database).await?;
        let customers = format!("select customer from {}", DB::table("v_order_placed"));
        assert_eq!(DB::texts(pool, &customers).await?.len(), 4);

        let outbox = Outbox::<later::Shop, DB>::new(pool.clone());
        let seen = Seen::default();
        Worker::new(outbox.clone(), seen.clone()).drain().await?;
        assert_eq!(seen.orders(), [2, 4], "what failed, and what was not read");
        let dead = outbox.deliveries(&DeliveryFilter::all()).await?;
        let dead: Vec<_> = dead.iter().map(|row| (row.event.position, row.state)).collect();
        assert_eq!(dead, [(3, DeliveryState::Dead)]);
        assert_eq!(outbox.redrive(&DeliveryFilter::all()).await?, 1);
        Worker::new(outbox, seen.clone()).drain().await?;
        assert_eq!(seen.orders(), [2, 3, 4]);
    }
    Ok(())
}
