//! Consumers that migrations make known, and end.

use anyhow::{Result, bail};
use outbox_codegen::migrations::Retire;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Backend, Outbox, Postgres, Tx, Worker};
use outbox_tests::{Db, Running};
use sqlx::Pool;

use crate::both;
use crate::folder::{Folder, Migrated};
use crate::shop::later::without_charge;
use crate::shop::{Seen, first, later};

both! {
    what_is_emitted_before_the_first_worker_comes_is_kept_for_it,
    a_consumer_that_is_known_stays_where_it_is,
    a_consumer_with_work_is_not_retired,
    a_consumer_that_a_worker_runs_is_not_retired,
    a_retired_consumer_may_come_back_and_begins_anew,
}

/// A database to which the files of a registry have been applied.
struct Deployed<DB: Migrated> {
    database: TestDatabase<DB>,
    folder: Folder,
}

impl<DB: Migrated> Deployed<DB> {
    async fn new<R: outbox_runtime::Registry>() -> Result<Self> {
        let deployed =
            Self { database: TestDatabase::create().await?, folder: Folder::of::<DB>()? };
        deployed.deploy::<R>(Retire::Never).await?;
        Ok(deployed)
    }

    async fn deploy<R: outbox_runtime::Registry>(&self, retire: Retire) -> Result<()> {
        self.folder.generate::<R>(retire)?;
        self.folder.apply::<DB>(&self.database).await
    }

    fn pool(&self) -> &Pool<DB> {
        self.database.pool()
    }

    fn emitter(&self) -> Outbox<first::Shop, DB> {
        Outbox::new(self.pool().clone())
    }

    async fn emit(&self, orders: std::ops::Range<u64>) -> Result<()> {
        let outbox = self.emitter();
        let mut tx = outbox.begin().await?;
        for order in orders {
            emit(&outbox, &mut tx, order).await?;
        }
        Ok(tx.commit().await?)
    }

    /// What the consumers of the later shop see until there is nothing left.
    async fn seen(&self) -> Result<Vec<u64>> {
        let seen = Seen::default();
        let outbox = Outbox::<later::Shop, DB>::new(self.pool().clone());
        Worker::new(outbox, seen.clone()).drain().await?;
        Ok(seen.orders())
    }

    /// What a migration says that ends the consumer `charge`.
    async fn refusal(&self, retire: Retire) -> Result<String> {
        match self.deploy::<without_charge::Shop>(retire).await {
            Ok(()) => bail!("it was not refused"),
            Err(error) => Ok(format!("{error:#}")),
        }
    }
}

async fn emit<DB: Backend>(
    outbox: &Outbox<first::Shop, DB>,
    tx: &mut Tx<'_, DB>,
    order: u64,
) -> Result<()> {
    let order = first::OrderPlaced { order, customer: "ada".to_owned(), amount: 1 };
    outbox.emit(tx, order).await?;
    Ok(())
}

/// `start = now` is when the migration ran. Without one it would be when the first worker came.
async fn what_is_emitted_before_the_first_worker_comes_is_kept_for_it<DB: Migrated>() -> Result<()>
{
    let deployed = Deployed::<DB>::new::<first::Shop>().await?;
    deployed.emit(0..5).await?;
    deployed.deploy::<later::Shop>(Retire::Never).await?;
    deployed.emit(5..7).await?;
    // `charge` since the first migration, `announce` since the second.
    assert_eq!(deployed.seen().await?, [0, 1, 2, 3, 4, 5, 5, 6, 6]);
    deployed.emit(7..8).await?;
    assert_eq!(deployed.seen().await?, [7, 7]);
    Ok(())
}

async fn a_consumer_that_is_known_stays_where_it_is<DB: Migrated>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let deployed = Deployed { database, folder: Folder::of::<DB>()? };
    // The engine's tables come from files, and the consumers from a worker.
    deployed.folder.generate::<first::Shop>(Retire::Never)?;
    let mut files = deployed.folder.files()?.into_iter();
    let (name, text) = files.next().unwrap_or_default();
    let (tables, rest) = text.split_once("-- outbox: {\"does\":\"view\"").unwrap_or_default();
    deployed.folder.write("0001_tables.sql", tables)?;
    std::fs::remove_file(deployed.folder.path().join(name))?;
    deployed.folder.apply::<DB>(&deployed.database).await?;
    assert_eq!(deployed.seen().await?, [0; 0]);
    deployed.emit(0..5).await?;
    deployed.folder.write("0002_rest.sql", &format!("-- outbox: {{\"does\":\"view\"{rest}"))?;
    DB::migrate(deployed.database.url(), deployed.folder.path()).await?;
    assert_eq!(deployed.seen().await?, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    Ok(())
}

async fn a_consumer_with_work_is_not_retired<DB: Migrated>() -> Result<()> {
    let deployed = Deployed::<DB>::new::<later::Shop>().await?;
    deployed.emit(0..3).await?;
    let said = deployed.refusal(Retire::Finished).await?;
    assert!(said.contains("charge still has") && said.contains("unread events"), "{said}");
    assert_eq!(deployed.seen().await?.len(), 6, "nothing of the migration has happened");

    // A dead letter is work, too.
    DB::execute(deployed.pool(), &dead_letter::<DB>()).await?;
    let said = deployed.refusal(Retire::Finished).await?;
    assert!(said.contains("charge still has") && said.contains("dead letters"), "{said}");
    DB::execute(deployed.pool(), &format!("delete from {}", DB::table("delivery"))).await?;
    deployed.folder.apply::<DB>(&deployed.database).await?;
    assert_eq!(consumers::<DB>(deployed.pool()).await?, ["announce"]);
    Ok(())
}

fn dead_letter<DB: Db>() -> String {
    let (time, id) =
        if DB::IS_POSTGRES { ("now()", "gen_random_uuid()") } else { ("0", "randomblob(16)") };
    let suffix = if DB::IS_POSTGRES { "" } else { "_us" };
    format!(
        "insert into {} (consumer, position, event_id, name, version, key_hash, payload, headers, \
             event_created_at{suffix}, state, due_at{suffix}) \
         values ('charge', 1, {id}, 'order.placed', 1, 0, '{{}}', '{{}}', {time}, 'dead', {time})",
        DB::table("delivery"),
    )
}

async fn consumers<DB: Db>(pool: &Pool<DB>) -> Result<Vec<String>> {
    let retired_at = if DB::IS_POSTGRES { "retired_at" } else { "retired_at_us" };
    let query = format!(
        "select name from {} where {retired_at} is null order by name",
        DB::table("consumer")
    );
    Ok(DB::texts(pool, &query).await?.into_iter().flatten().collect())
}

async fn a_consumer_that_a_worker_runs_is_not_retired<DB: Migrated>() -> Result<()> {
    let deployed = Deployed::<DB>::new::<later::Shop>().await?;
    let seen = Seen::default();
    let outbox = Outbox::<later::Shop, DB>::new(deployed.pool().clone());
    let running = Running::worker(Worker::new(outbox, seen));
    let leases = format!("select count(*) from {} where consumer = 'charge'", DB::table("lease"));
    outbox_tests::wait::until("its leases", async || {
        DB::number(deployed.pool(), &leases).await.is_ok_and(|leases| leases == 2)
    })
    .await;
    for retire in [Retire::Finished, Retire::WithWork] {
        let said = deployed.refusal(retire).await?;
        assert!(said.contains("a worker runs charge"), "{said}");
    }
    running.stop().await?;
    deployed.folder.apply::<DB>(&deployed.database).await?;
    assert_eq!(consumers::<DB>(deployed.pool()).await?, ["announce"]);
    Ok(())
}

async fn a_retired_consumer_may_come_back_and_begins_anew<DB: Migrated>() -> Result<()> {
    let deployed = Deployed::<DB>::new::<later::Shop>().await?;
    deployed.emit(0..3).await?;
    assert_eq!(deployed.seen().await?.len(), 6);
    deployed.emit(3..5).await?;
    DB::execute(deployed.pool(), &dead_letter::<DB>()).await?;
    deployed.deploy::<without_charge::Shop>(Retire::WithWork).await?;
    let left = format!("select count(*) from {}", DB::table("delivery"));
    assert_eq!(DB::number(deployed.pool(), &left).await?, 0);
    deployed.emit(5..7).await?;
    deployed.deploy::<later::Shop>(Retire::Never).await?;
    deployed.emit(7..9).await?;
    assert_eq!(deployed.seen().await?, [3, 4, 5, 6, 7, 7, 8, 8], "`charge` from 7 on");
    Ok(())
}

/// A migration's transaction may have drawn its id long before it makes a consumer known. What
/// others have emitted since, and commit later, comes after "now" all the same.
async fn transactions_that_are_open_meanwhile(spoil: Option<(&str, &str)>) -> Result<Vec<u64>> {
    let deployed = Deployed::<Postgres>::new::<without_charge::Shop>().await?;
    let pool = deployed.pool();
    if let Some((right, wrong)) = spoil {
        let definition = "select pg_get_functiondef('outbox.register_consumer'::regproc)";
        let definition = Postgres::texts(pool, definition).await?.remove(0).unwrap_or_default();
        assert!(definition.contains(right), "{definition}");
        Postgres::execute(pool, &definition.replace(right, wrong)).await?;
    }
    let outbox = deployed.emitter();
    deployed.emit(0..2).await?;
    let mut before = outbox.begin().await?;
    emit(&outbox, &mut before, 10).await?;
    let mut migration = pool.begin().await?;
    Postgres::run(&mut migration, "select pg_current_xact_id()").await?;
    // Theirs are above the migration's id, and below the end of the sequence.
    let mut between = outbox.begin().await?;
    emit(&outbox, &mut between, 11).await?;
    let mut later = outbox.begin().await?;
    emit(&outbox, &mut later, 12).await?;
    deployed.emit(2..3).await?;
    let mut last = outbox.begin().await?;
    emit(&outbox, &mut last, 13).await?;
    let register = "select outbox.register_consumer('charge', 'order.placed', 2, false, 2, 'now')";
    Postgres::run(&mut migration, register).await?;
    deployed.emit(20..21).await?;
    emit(&outbox, &mut between, 21).await?;
    migration.commit().await?;
    for tx in [before, between, later, last] {
        tx.commit().await?;
    }
    deployed.emit(22..23).await?;
    let seen = Seen::default();
    let charge = Outbox::<first::Shop, Postgres>::new(pool.clone());
    Worker::new(charge, seen.clone()).drain().await?;
    Ok(seen.orders())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn now_is_a_snapshot_on_postgres() -> Result<()> {
    assert_eq!(transactions_that_are_open_meanwhile(None).await?, [10, 11, 12, 13, 20, 21, 22]);
    Ok(())
}

/// That the test above would notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_was_drawn_too_early_is_noticed_on_postgres() -> Result<()> {
    // 13 is lost, unless anybody on this server has completed a transaction since it drew its id: the
    // snapshot knows it then. 21 is both late and new in any case.
    let too_early = ("'next', next,", "'next', own,");
    let seen = transactions_that_are_open_meanwhile(Some(too_early)).await?;
    assert_eq!(seen.iter().filter(|order| **order == 21).count(), 2, "{seen:?}");
    let too_late = ("'done', seen::text", "'done', format('%1$s:%1$s:', next)");
    let seen = transactions_that_are_open_meanwhile(Some(too_late)).await?;
    assert!(!seen.contains(&10), "{seen:?}");
    Ok(())
}

/// Progress in the ledger is of another server until a worker has translated it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_tables_are_translated_first_on_postgres() -> Result<()> {
    let deployed = Deployed::<Postgres>::new::<first::Shop>().await?;
    Postgres::execute(deployed.pool(), "update outbox.meta set system_identifier = 1").await?;
    let refused = deployed.deploy::<later::Shop>(Retire::Never).await.unwrap_err();
    let said = format!("{refused:#}");
    assert!(said.contains("restored from another server"), "{said}");
    let outbox = deployed.emitter();
    Worker::new(outbox, Seen::default()).drain().await?;
    deployed.folder.apply::<Postgres>(&deployed.database).await
}
