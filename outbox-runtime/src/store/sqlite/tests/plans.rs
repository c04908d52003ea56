//! How SQLite finds the rows. Its planner knows nothing about the tables until somebody runs
//! `analyze`, and guesses; a wrong guess costs nothing in a small test and hours in a long log.

use super::*;

/// Steps that must be in the plan of a statement.
const STEPS: &[(&str, &str)] = &[
    ("append_deduplicated", "SEARCH outbox_dedup USING PRIMARY KEY (name=? AND dedup_key=?)"),
    ("delete_deliveries", "SEARCH outbox_delivery USING PRIMARY KEY (consumer=? AND position=?)"),
    ("due", "SEARCH d USING INDEX outbox_delivery_due (consumer=? AND due_at_us<?)"),
    ("due", "SEARCH e USING INDEX outbox_delivery_key (consumer=? AND key=? AND position<?)"),
    ("events", "SEARCH outbox_event USING INDEX outbox_event_id (id=?)"),
    ("events", "SEARCH outbox_event USING INDEX outbox_event_causation (<expr>=? AND rowid>?)"),
    ("events", "SEARCH outbox_event USING INTEGER PRIMARY KEY (rowid>?)"),
    (
        "free_parked",
        "SEARCH e USING INDEX outbox_delivery_key (consumer=? AND key=? AND position<?)",
    ),
    ("held_keys", "SEARCH outbox_delivery USING INDEX outbox_delivery_key (consumer=? AND key>?)"),
    ("lag", "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"),
    ("latest_checkpoints", "SEARCH k USING PRIMARY KEY (consumer=? AND shard=? AND seq=?)"),
    ("latest_checkpoints", "SEARCH k USING PRIMARY KEY (consumer=? AND shard>?)"),
    ("latest_checkpoints", "SEARCH o USING PRIMARY KEY (consumer=? AND shard=?)"),
    ("mark", "SEARCH outbox_event"),
    ("next_due", "SEARCH d USING COVERING INDEX outbox_delivery_due (consumer=? AND due_at_us<?)"),
    ("probe", "SEARCH outbox_event USING INTEGER PRIMARY KEY (rowid>?)"),
    ("read", "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    ("release_keys", "SEARCH d USING PRIMARY KEY (consumer=? AND position=?)"),
    ("release_keys", "SEARCH h USING INDEX outbox_delivery_key (consumer=? AND key=?)"),
    ("renew_leases", "SEARCH l USING PRIMARY KEY (consumer=? AND shard=?)"),
    ("still_held", "SEARCH d EXISTS USING INDEX outbox_delivery_key (consumer=? AND key=?)"),
    ("take_over", "SEARCH c USING PRIMARY KEY (consumer=? AND shard=?)"),
    (
        "trim_dedup",
        "SEARCH outbox_dedup USING COVERING INDEX outbox_dedup_expires (expires_at_us<?)",
    ),
    ("update_deliveries", "SEARCH d USING PRIMARY KEY (consumer=? AND position=?)"),
];

async fn plan(store: &SqliteStore, sql: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("explain query plan {sql}"));
    let steps: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(explain).fetch_all(store.pool()).await.unwrap();
    steps.into_iter().map(|step| step.3).collect()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let (_file, store) = migrated().await;
    for (name, sql) in store.statements() {
        let plan = plan(&store, &sql).await;
        for (_, step) in STEPS.iter().filter(|(statement, _)| *statement == name) {
            assert!(plan.iter().any(|line| line == step), "{name}: {plan:#?}");
        }
        // Of reading by position, the order comes for free.
        if name == "read" {
            assert!(!plan.iter().any(|line| line.contains("ORDER BY")), "{plan:#?}");
        }
        let scans_the_log = |line: &String| line.starts_with("SCAN outbox_event");
        assert!(!plan.iter().any(scans_the_log), "{name}: {plan:#?}");
    }
}
