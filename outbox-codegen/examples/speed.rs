//! How long `check` and `compat` take for many events, and how much memory:
//! `cargo run --release -p outbox-codegen --example speed [EVENTS] [VERSIONS]`.
//!
//! Each event has twelve fields, among them a list of structs, a map, an enum with data and an option. Every
//! version was released once, and has one more optional field since: so each is really compared, in both
//! directions.

use std::time::Instant;

use outbox_codegen::gate;
use outbox_codegen::schemas::{self, Error, Revision, Snapshot};
use outbox_runtime::{Event, EventInfo, RegistryInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod old {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Utc};
    use outbox_runtime::Event;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use uuid::Uuid;

    /// One line of an order.
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Line {
        product: String,
        quantity: u32,
        price_cents: i64,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "method")]
    pub(crate) enum Payment {
        Card { last_four: String },
        Transfer { iban: String, reference: String },
        Cash,
    }

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.placed")]
    pub(crate) struct OrderPlaced {
        pub(crate) order: Uuid,
        pub(crate) placed: DateTime<Utc>,
        pub(crate) customer: String,
        pub(crate) lines: Vec<Line>,
        pub(crate) gift: Option<Line>,
        pub(crate) payment: Payment,
        pub(crate) labels: BTreeMap<String, String>,
        pub(crate) total: i64,
        pub(crate) discount: Option<u8>,
        pub(crate) weight: f64,
        pub(crate) express: bool,
        pub(crate) size: (u32, u32, u32),
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    #[serde(flatten)]
    old: old::OrderPlaced,
    note: Option<String>,
}

fn main() -> Result<(), Error> {
    let number = |place, default: u32| {
        let given = std::env::args().nth(place).and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let (events, versions) = (number(1, 500), number(2, 5));
    let folder = std::env::temp_dir().join(format!("outbox-speed-{}", std::process::id()));
    schemas::generate(&many::<old::OrderPlaced>(events, versions), &folder)?;
    let frozen = schemas::release(&folder, &[])?.len();
    let code = many::<OrderPlaced>(events, versions);
    schemas::generate(&code, &folder)?;

    let began = Instant::now();
    let differences = schemas::check(&code, &folder)?.len();
    let check = began.elapsed();
    let began = Instant::now();
    let report = gate::compare(&code, &schemas::released(&folder, None)?);
    let compat = began.elapsed();
    println!("{events} events with {versions} versions: {frozen} released and changed since");
    println!("check:  {:.3} s, {differences} differences", check.as_secs_f64());
    println!(
        "compat: {:.3} s, {} versions compared, breaking: {}",
        compat.as_secs_f64(),
        report.compared,
        report.is_breaking(),
    );
    if let Some(peak) = peak_kib() {
        println!("peak memory: {} MiB", peak / 1024);
    }
    std::fs::remove_dir_all(&folder).ok();
    Ok(())
}

/// Many events like one, none of whose schemas is the same as another one.
fn many<E: Event>(events: u32, versions: u32) -> Snapshot {
    let registry = RegistryInfo::new("Shop", vec![EventInfo::of::<E>()], Vec::new());
    let mut snapshot = Snapshot::of(&registry);
    let Some(one) = snapshot.versions.pop() else { return snapshot };
    for event in 0..events {
        for version in 1..=versions {
            let mut next = one.clone();
            next.name = format!("order.placed-{event:05}");
            next.version = version;
            next.facts.upcast_from = (version > 1).then(|| version - 1);
            next.current = with_bound(&one.current, event * versions + version);
            snapshot.versions.push(next);
        }
    }
    snapshot
}

fn with_bound(revision: &Revision, number: u32) -> Revision {
    let mut revision = revision.clone();
    for schema in [&mut revision.write, &mut revision.read] {
        let mut bounded = serde_json::Value::clone(schema);
        bounded["properties"]["customer"]["maxLength"] = (1_000 + number).into();
        *schema = bounded.into();
    }
    revision
}

/// The most memory that this process ever had, in KiB, where the system says so.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}
