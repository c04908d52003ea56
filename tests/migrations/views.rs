//! Events as tables: typed columns over rows of every version, and of anything else.

use anyhow::Result;
use outbox_codegen::migrations::Retire;
use outbox_runtime::Postgres;
use outbox_runtime::testing::TestDatabase;
use outbox_tests::Db;

use crate::both;
use crate::folder::{Folder, Migrated};
use crate::shop::{first, later};

both! {
    rows_of_every_version_are_shown_in_the_columns_of_the_newest,
    no_row_breaks_a_view,
    an_enum_has_a_column_for_each_field_of_its_variants,
    a_view_follows_its_event,
    odd_names,
}

fn view<DB: Db>(event: &str) -> String {
    DB::table(&format!("v_{event}"))
}

/// Columns of a view as one text, a row a line; `-` is null.
async fn shown<DB: Db>(
    pool: &sqlx::Pool<DB>,
    event: &str,
    columns: &[&str],
) -> Result<Vec<String>> {
    let text = |column: &&str| format!("coalesce(cast({column} as text), '-')");
    let columns: Vec<String> = columns.iter().map(text).collect();
    let query = format!(
        "select {} from {} e order by position",
        columns.join(" || ' ' || "),
        view::<DB>(event)
    );
    Ok(DB::texts(pool, &query).await?.into_iter().flatten().collect())
}

async fn migrated<DB: Migrated, R: outbox_runtime::Registry>() -> Result<(TestDatabase<DB>, Folder)>
{
    let database = TestDatabase::<DB>::create().await?;
    let folder = Folder::of::<DB>()?;
    folder.generate::<R>(Retire::Never)?;
    folder.apply::<DB>(&database).await?;
    Ok((database, folder))
}

async fn rows_of_every_version_are_shown_in_the_columns_of_the_newest<DB: Migrated>() -> Result<()>
{
    let (database, _folder) = migrated::<DB, later::Shop>().await?;
    let pool = database.pool();
    let uuid = "018f3e2a-0000-7000-8000-000000000000";
    for (version, payload) in [
        (1, r#"{"order": 1, "customer": "ada", "amount": 5}"#.to_owned()),
        (2, r#"{"order": 2, "client": "bob", "cents": 900}"#.to_owned()),
        (
            2,
            format!(
                r#"{{"order": 18446744073709551615, "buyer": "eve", "cents": -9223372036854775808, "gift": true,
                "currency": "SEK", "reference": "{uuid}", "placed_at": "2026-11-26T10:11:12.5+02:00",
                "due": "2028-02-29", "weight": 1.5, "lines": [{{"sku": "tea"}}], "version": 7}}"#
            ),
        ),
        (
            3,
            r#"{"order": 4, "customer": "from the future", "gift": null, "lines": null}"#
                .to_owned(),
        ),
    ] {
        DB::append(pool, "order.placed", version, Some("k"), &payload).await?;
    }
    let shown = shown::<DB>(
        pool,
        "order_placed",
        &[
            "version",
            "key",
            "\"order\"",
            "customer",
            "cents",
            "gift",
            "currency",
            "reference",
            "due",
            "weight",
            "payload_version",
        ],
    );
    let (yes, no) = if DB::IS_POSTGRES { ("true", "false") } else { ("1", "0") };
    let zero = if DB::IS_POSTGRES { "0" } else { "0.0" };
    assert_eq!(
        shown.await?,
        [
            // What an upcaster makes of version 1 is not known here: neither cents nor defaults.
            "1 k 1 ada - - - - - - -".to_owned(),
            format!("2 k 2 bob 900 {no} EUR - - {zero} -"),
            format!(
                "2 k 18446744073709551615 eve -9223372036854775808 {yes} SEK {uuid} 2028-02-29 1.5 7"
            ),
            "3 k 4 from the future - - - - - - -".to_owned(),
        ]
    );
    let (time, lines) = if DB::IS_POSTGRES {
        ("2026-11-26 08:11:12.5", "[{\"sku\": \"tea\"}]")
    } else {
        ("2026-11-26T10:11:12.5+02:00", "[{\"sku\":\"tea\"}]")
    };
    let time_of = if DB::IS_POSTGRES { "placed_at at time zone 'UTC'" } else { "placed_at" };
    let third = &self::shown::<DB>(pool, "order_placed", &[time_of, "lines"]).await?[2];
    assert_eq!(third, &format!("{time} {lines}"));
    let envelope =
        self::shown::<DB>(pool, "order_placed", &["length(cast(id as text))", "position"]).await?;
    assert_eq!(envelope, ["36 1", "36 2", "36 3", "36 4"]);
    let recent = if DB::IS_POSTGRES {
        "created_at > now() - interval '1 hour'"
    } else {
        "created_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour')"
    };
    let recent = format!("select count(*) from {} where {recent}", view::<DB>("order_placed"));
    assert_eq!(DB::number(pool, &recent).await?, 4);
    Ok(())
}

/// Whatever somebody emitted from SQL, or a column's type was once.
async fn no_row_breaks_a_view<DB: Migrated>() -> Result<()> {
    const VALUES: [&str; 24] = [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "1e400",
        "-1e400",
        "1e-400",
        "99999999999999999999999",
        "\"\"",
        "\"text\"",
        "\"2026-13-01\"",
        "\"2026-02-29\"",
        "\"0000-01-01\"",
        "\"2026-02-29T00:00:00Z\"",
        "\"2026-01-01T25:00:00Z\"",
        "\"2026-01-01T00:00:60Z\"",
        "\"2026-01-01T00:00:00+24:00\"",
        "\"9999-12-31T23:59:59.999999999-15:59\"",
        "\"018f3e2a\"",
        "\"{018f3e2a-0000-7000-8000-000000000000}\"",
        "[1]",
        "{}",
        "{\"a\": \"b\"}",
    ];
    const PROPERTIES: [&str; 11] = [
        "order",
        "customer",
        "cents",
        "gift",
        "currency",
        "reference",
        "placed_at",
        "due",
        "weight",
        "lines",
        "version",
    ];
    let (database, _folder) = migrated::<DB, later::Shop>().await?;
    let pool = database.pool();
    let mut rows = 0;
    for value in VALUES {
        let properties: Vec<String> =
            PROPERTIES.iter().map(|property| format!("\"{property}\": {value}")).collect();
        for payload in [format!("{{{}}}", properties.join(", ")), value.to_owned()] {
            DB::append(pool, "order.placed", 2, None, &payload).await?;
            rows += 1;
        }
    }
    let columns = [
        "\"order\"",
        "customer",
        "cents",
        "gift",
        "currency",
        "reference",
        "placed_at",
        "due",
        "weight",
        "lines",
        "payload_version",
    ];
    let shown = shown::<DB>(pool, "order_placed", &columns).await?;
    assert_eq!(shown.len(), rows, "{shown:#?}");
    Ok(())
}

async fn an_enum_has_a_column_for_each_field_of_its_variants<DB: Migrated>() -> Result<()> {
    let (database, _folder) = migrated::<DB, later::Shop>().await?;
    let pool = database.pool();
    DB::append(
        pool,
        "payment.made",
        1,
        None,
        r#"{"way": "card", "order": 1, "last_digits": "1234"}"#,
    )
    .await?;
    DB::append(pool, "payment.made", 1, None, r#"{"way": "invoice", "order": 2, "days": 30}"#)
        .await?;
    assert_eq!(
        shown::<DB>(pool, "payment_made", &["way", "\"order\"", "last_digits", "days"]).await?,
        ["card 1 1234 -", "invoice 2 - 30"]
    );
    Ok(())
}

/// Earlier rows and later ones, and events that have gone.
async fn a_view_follows_its_event<DB: Migrated>() -> Result<()> {
    let (database, folder) = migrated::<DB, first::Shop>().await?;
    let pool = database.pool();
    DB::append(pool, "order.placed", 1, None, r#"{"order": 1, "customer": "ada", "amount": 5}"#)
        .await?;
    assert_eq!(shown::<DB>(pool, "order_placed", &["amount"]).await?, ["5"]);
    shown::<DB>(pool, "order_cancelled", &["\"order\""]).await?;
    folder.generate::<later::Shop>(Retire::Never)?;
    folder.apply::<DB>(&database).await?;
    assert_eq!(shown::<DB>(pool, "order_placed", &["customer", "cents"]).await?, ["ada -"]);
    assert!(shown::<DB>(pool, "order_placed", &["amount"]).await.is_err());
    assert!(shown::<DB>(pool, "order_cancelled", &["\"order\""]).await.is_err());
    Ok(())
}

mod grown {
    use outbox_runtime::{Event, registry};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.placed", key = order)]
    pub(super) struct OrderPlaced {
        pub order: u64,
        /// Stands before the others by its name.
        #[serde(default)]
        pub a_note: Option<String>,
        pub customer: String,
        pub amount: i32,
    }

    registry! {
        pub(super) struct Shop;
        events: [OrderPlaced],
    }
}

/// What is granted on a view, or made from it, stays when a column comes to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_column_leaves_what_depends_on_a_view_alone_on_postgres() -> Result<()> {
    let (database, folder) = migrated::<Postgres, first::Shop>().await?;
    let pool = database.pool();
    Postgres::execute(pool, "create view report as select customer from outbox.v_order_placed")
        .await?;
    folder.generate::<grown::Shop>(Retire::Never)?;
    folder.apply::<Postgres>(&database).await?;
    let payload = r#"{"order": 1, "customer": "ada", "amount": 5, "a_note": "please"}"#;
    Postgres::append(pool, "order.placed", 1, None, payload).await?;
    assert_eq!(
        Postgres::texts(pool, "select customer from report").await?,
        [Some("ada".to_owned())]
    );
    assert_eq!(shown::<Postgres>(pool, "order_placed", &["a_note"]).await?, ["please"]);
    Ok(())
}

mod odd {
    use outbox_runtime::{Event, registry};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    /// Names that no language likes.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "odd:event/name", index(quote, dollar))]
    pub(super) struct Odd {
        #[serde(rename = "it's")]
        pub quote: String,
        #[serde(rename = "$.a.b[0]")]
        pub dollar: String,
        #[serde(
            rename = "a name with spaces, and far more letters than a database has room for in the name of a column"
        )]
        pub long: u32,
        #[serde(
            rename = "a name with spaces, and far more letters than a database has room for in a name of a column"
        )]
        pub longer: u32,
        #[serde(rename = "select")]
        pub keyword: bool,
        #[serde(rename = "ключ")]
        pub other: String,
        #[serde(rename = "dou\"ble")]
        pub double: Option<String>,
        #[serde(rename = "", default = "quoted")]
        pub empty: String,
    }

    fn quoted() -> String {
        "'; drop table outbox.event; --".to_owned()
    }

    /// The same name, once it is one for a view.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "odd.event.name")]
    pub(super) struct Plain(pub u64);

    registry! {
        pub(super) struct Oddities;
        events: [Odd, Plain],
    }
}

async fn odd_names<DB: Migrated>() -> Result<()> {
    let (database, folder) = migrated::<DB, odd::Oddities>().await?;
    let pool = database.pool();
    assert!(folder.pending::<odd::Oddities>()?.missing().is_empty());
    let payload =
        r#"{"it''s": "a", "$.a.b[0]": "b", "select": true, "ключ": "c", "dou\"ble": "d"}"#;
    DB::append(pool, "odd:event/name", 1, None, payload).await?;
    let select = if DB::IS_POSTGRES { "true" } else { "1" };
    // The order of the events' names decides which view has the plain name.
    let columns = ["\"it's\"", "\"$.a.b[0]\"", "\"select\"", "\"ключ\"", "\"payload_\""];
    assert_eq!(
        shown::<DB>(pool, "odd_event_name_2", &columns).await?,
        [format!("a b {select} c '; drop table outbox.event; --")]
    );
    // SQLite cannot be asked for a property with a quote in its name: there is no column for it.
    let quoted = shown::<DB>(pool, "odd_event_name_2", &["e.\"dou\"\"ble\""]).await;
    assert_eq!(quoted.ok(), DB::IS_POSTGRES.then(|| vec!["d".to_owned()]));
    DB::append(pool, "odd.event.name", 1, None, "7").await?;
    assert_eq!(shown::<DB>(pool, "odd_event_name", &["value"]).await?, ["7"]);
    Ok(())
}
