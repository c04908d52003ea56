//! Changing rows and emitting one event per changed row.

use outbox_runtime::testing::{TestBackend, TestOutbox};
use outbox_runtime::{ErrorKind, Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "machine.activated", version = 1, key = id)]
struct MachineActivated {
    id: i64,
    project: String,
    spare: bool,
    load: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "machine.moved", version = 1, key = format!("machine-{}", self.id))]
struct MachineMoved {
    id: i64,
}

registry! {
    pub(crate) struct Machines;
    events: [MachineActivated, MachineMoved],
}

crate::both! {
    each_changed_row_emits_one_event_and_comes_back,
    no_changed_row_means_no_event,
    a_rolled_back_change_emits_nothing,
    a_row_that_is_not_the_event_is_refused,
    a_key_that_is_not_a_column_must_be_named,
}

const TABLE: &str = "create table machine (id bigint primary key, project text, state text, spare boolean, load double precision)";
const ROWS: &str = "insert into machine values (1, 'a', 'idle', true, null), (2, 'a', 'idle', false, 0.5), \
                    (3, 'b', 'idle', false, 1.5)";
const ACTIVATE: &str = "update machine set state = 'active' where project = $1 \
                        returning id, project, spare, load;";

async fn machines<DB: TestBackend>() -> anyhow::Result<TestOutbox<Machines, DB>>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let outbox = TestOutbox::<Machines, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    sqlx::Executor::execute(&mut *tx, TABLE).await?;
    sqlx::Executor::execute(&mut *tx, ROWS).await?;
    tx.commit().await?;
    Ok(outbox)
}

async fn each_changed_row_emits_one_event_and_comes_back<DB: TestBackend>() -> anyhow::Result<()>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    for<'t> &'t str: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
{
    let outbox = machines::<DB>().await?;
    let mut tx = outbox.begin().await?;
    let mut changed =
        outbox.emit_changed::<MachineActivated, _>(ACTIVATE).bind("a").run(&mut tx).await?;
    tx.commit().await?;

    changed.sort_by_key(|row| row.event.id);
    let rows: Vec<_> = changed.iter().map(|row| row.event.clone()).collect();
    let project = "a".to_owned();
    assert_eq!(
        rows,
        [
            MachineActivated { id: 1, project: project.clone(), spare: true, load: None },
            MachineActivated { id: 2, project, spare: false, load: Some(0.5) },
        ]
    );
    for row in &changed {
        let stored = outbox.event(row.emitted.id).await?.expect("the event is in the log");
        assert_eq!(stored.position, row.emitted.position);
        assert_eq!(stored.key, Some(row.event.id.to_string()));
        assert_eq!(stored.name, "machine.activated");
    }
    assert_eq!(outbox.emitted::<MachineActivated>().await?.len(), 2);
    Ok(())
}

async fn no_changed_row_means_no_event<DB: TestBackend>() -> anyhow::Result<()>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    for<'t> &'t str: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
{
    let outbox = machines::<DB>().await?;
    let mut tx = outbox.begin().await?;
    let changed =
        outbox.emit_changed::<MachineActivated, _>(ACTIVATE).bind("z").run(&mut tx).await?;
    tx.commit().await?;
    assert_eq!(changed, []);
    assert_eq!(outbox.emitted::<MachineActivated>().await?, []);
    Ok(())
}

async fn a_rolled_back_change_emits_nothing<DB: TestBackend>() -> anyhow::Result<()>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    for<'t> &'t str: sqlx::Encode<'t, DB> + sqlx::Type<DB>,
{
    let outbox = machines::<DB>().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_changed::<MachineActivated, _>(ACTIVATE).bind("a").run(&mut tx).await?;
    tx.rollback().await?;
    assert_eq!(outbox.emitted::<MachineActivated>().await?, []);
    Ok(())
}

async fn a_row_that_is_not_the_event_is_refused<DB: TestBackend>() -> anyhow::Result<()>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let outbox = machines::<DB>().await?;
    let mut tx = outbox.begin().await?;
    let refused = outbox
        .emit_changed::<MachineActivated, _>("delete from machine where id = 3 returning id")
        .run(&mut tx)
        .await
        .expect_err("a field is missing");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.to_string().contains("missing field"), "{refused}");
    Ok(())
}

async fn a_key_that_is_not_a_column_must_be_named<DB: TestBackend>() -> anyhow::Result<()>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    const MOVE: &str = "update machine set project = 'c' where id = 3 \
                        returning id, 'machine-' || id as event_key";
    let outbox = machines::<DB>().await?;
    let mut tx = outbox.begin().await?;
    let refused = outbox
        .emit_changed::<MachineMoved, _>(MOVE)
        .run(&mut tx)
        .await
        .expect_err("nobody said where the key is");
    assert!(refused.to_string().contains("key_column"), "{refused}");
    tx.rollback().await?;

    let mut tx = outbox.begin().await?;
    let moved =
        outbox.emit_changed::<MachineMoved, _>(MOVE).key_column("event_key").run(&mut tx).await?;
    tx.commit().await?;
    let stored = outbox.event(moved[0].emitted.id).await?.expect("the event is in the log");
    assert_eq!(stored.key.as_deref(), Some("machine-3"));
    Ok(())
}
