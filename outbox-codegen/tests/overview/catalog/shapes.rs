//! What the pages say of payloads of every shape that serde knows.

use std::collections::BTreeMap;
use std::path::Path;

use outbox_codegen::catalog;
use outbox_runtime::{Event, EventInfo, RegistryInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::says::assert_says;

/// The page of one event.
fn page_of<E: Event + JsonSchema>() -> String {
    let event = EventInfo::of::<E>();
    let path = format!("events/{}.md", event.name);
    let registry = RegistryInfo::new("Shapes", vec![event], Vec::new());
    catalog::files(&registry).remove(Path::new(&path)).expect("its page")
}

/// The lines that name a variant.
fn variants(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("Variant ")).collect()
}

/// A line.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Line {
    sku: String,
    by_size: BTreeMap<u32, u64>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Wrapped(Line);

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "twice", version = 1)]
struct Twice(Wrapped);

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Page<{T}>")]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "holder", version = 1)]
struct Holder {
    wrapped: Option<Wrapped>,
    page: Page<Line>,
    up: Option<Box<Holder>>,
    state: State,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum State {
    Open,
    /// For good.
    Closed,
    Sent {
        at: u8,
    },
}

#[test]
fn what_is_behind_references_is_shown() {
    assert_says(&page_of::<Twice>(), &["| `sku` | text | yes |  |"]);
    assert_says(
        &page_of::<Holder>(),
        &[
            "| `wrapped` | `Wrapped` or nothing | when written |  |",
            "| `wrapped.sku` | text | yes |  |",
            "| `wrapped.by_size` | map from text to whole number from 0 (64 bits) | yes |  |",
            "| `page` | <code>Page&lt;Line&gt;</code> | yes |  |",
            "| `page.items[].sku` | text | yes |  |",
            "| `up` | `Holder` or nothing | when written |  |",
            "| `state` | `Open`, `Closed` or object with `Sent` | yes |  |",
        ],
    );
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "lines", version = 1)]
struct Lines(Vec<Line>);

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "scalar", version = 1)]
struct Scalar(u128);

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "unit", version = 1)]
struct Unit;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "chain", version = 1)]
struct Chain(Option<Box<Chain>>);

#[test]
fn a_payload_that_is_no_object_is_told_in_words() {
    assert_says(
        &page_of::<Lines>(),
        &["- Payload: list of `Line`", "| `[].sku` | text | yes |  |"],
    );
    assert_says(&page_of::<Scalar>(), &["- Payload: whole number from 0 (128 bits)", "No fields."]);
    assert_says(&page_of::<Unit>(), &["- Payload: nothing", "No fields."]);
    assert_says(&page_of::<Chain>(), &["- Payload: `Chain` or nothing", "No fields."]);
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "internal", version = 1)]
#[serde(tag = "kind")]
enum Internal {
    Unit,
    New(Line),
    Fields { id: i32 },
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "adjacent", version = 1)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    New(Line),
    Tuple(i32, String),
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "untagged", version = 1)]
#[serde(untagged)]
enum Untagged {
    Nothing,
    /// By number.
    Number(f64),
    Text(String),
    New(Line),
    Fields {
        id: i32,
    },
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "flat", version = 1)]
struct Flat {
    own: u8,
    #[serde(flatten)]
    method: Internal,
    #[serde(flatten)]
    state: State,
}

#[test]
fn variants_have_their_names_and_fields_however_they_are_tagged() {
    let internal = page_of::<Internal>();
    assert_eq!(variants(&internal), ["`Unit`", "`New`: A line.", "`Fields`"]);
    assert_says(&internal, &["| `kind` | `New` | yes |  |", "| `sku` | text | yes |  |"]);
    let adjacent = page_of::<Adjacent>();
    assert_eq!(variants(&adjacent), ["`Unit`", "`New`", "`Tuple`"]);
    assert_says(&adjacent, &["| `c.sku` | text | yes |  |"]);
    let untagged = page_of::<Untagged>();
    let expected = ["`1`: nothing", "`2`: By number.", "`3`: text", "`Line`: A line.", "`5`"];
    assert_eq!(variants(&untagged), expected);
}

#[test]
fn variants_of_several_flattened_enums_are_shown() {
    let flat = page_of::<Flat>();
    let mut found = variants(&flat);
    found.sort_unstable();
    let expected =
        ["`Closed`: For good.", "`Fields`", "`New`: A line.", "`Open`", "`Sent`", "`Unit`"];
    assert_eq!(found, expected, "{flat}");
    assert_says(&flat, &["| `own` | whole number from 0 (8 bits) | yes |  |"]);
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "moved", version = 1)]
#[allow(dead_code)] // Only its schemas are read.
enum Moved {
    #[serde(skip_serializing)]
    Old {
        was: u8,
    },
    New {
        now: u8,
    },
    #[serde(skip_deserializing)]
    Written {
        only: u8,
    },
}

#[test]
fn a_variant_is_held_against_the_one_of_its_name() {
    assert_says(
        &page_of::<Moved>(),
        &[
            "| `New.now` | whole number from 0 (8 bits) | yes |  |",
            "| `Written.only` | whole number from 0 (8 bits) | when written |  |",
        ],
    );
}
