//! What the pages say.

use std::path::Path;

use outbox_codegen::catalog;

use crate::shop::shop;

fn file(path: &str) -> String {
    let mut files = catalog::files(&shop());
    files.remove(Path::new(path)).unwrap_or_else(|| panic!("no {path} in {:?}", files.keys()))
}

#[track_caller]
pub(super) fn assert_says(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "no line {line:?} in:\n{page}");
    }
}

#[test]
fn there_is_an_index_and_a_page_for_each_event() {
    let files = catalog::files(&shop());
    let paths: Vec<_> = files.keys().map(|path| path.to_str().expect("text")).collect();
    let expected = [
        "README.md",
        "events/order.placed.md",
        "events/parcel~moved.md",
        "events/rpc+orders.cancel.md",
        "events/stripe~invoice.paid.md",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn the_index_says_who_emits_and_who_consumes_each_event() {
    assert_says(
        &file("README.md"),
        &[
            "# Shop",
            "Includes `Billing`.",
            "| [`order.placed`](events/order.placed.md) | 2 | `order_id` | code that calls `emit` | \
             [`mail.receipt`](events/order.placed.md#consumers), \
             [`stock.reserve`](events/order.placed.md#consumers) | An order was placed &#124; by a \
             <code>customer&#124;guest</code>, \\*never\\* by &lt;b&gt;us&lt;/b&gt;. |",
            "| [`stripe:invoice.paid`](events/stripe~invoice.paid.md) | 1 | \
             `self.invoice.to_string()` | code that calls `emit` | \
             [`ledger`](events/stripe~invoice.paid.md#consumers), \
             [`accounts.close`](events/stripe~invoice.paid.md#consumers) | An invoice was paid. |",
            "| [`stock.reserve`](events/order.placed.md#consumers) | \
             [`order.placed`](events/order.placed.md) | exactly once, in the database | events of one \
             key one after another | 10 attempts, 1s to 15m apart | 1m | 4 shards; starts at the \
             beginning of the log | Reserves stock. |",
            "| [`cancel_order`](events/rpc+orders.cancel.md#emitted-by) | \
             [`rpc/orders.cancel`](events/rpc+orders.cancel.md) | its own | \
             `outbox-codegen/tests/overview/shop.rs` | Cancels an order. |",
        ],
    );
}

#[test]
fn a_page_says_what_each_version_has() {
    assert_says(
        &file("events/order.placed.md"),
        &[
            "- Key: `order_id`",
            "- Versions: [2](#version-2); [1](#version-1), retired",
            "No handler of the registry: code that calls `emit`.",
            "- Type: `OrderPlaced`, in `outbox-codegen/tests/overview/shop.rs`",
            "- Older payloads: read as [version 1](#version-1) and converted",
            "- Reserved, and never to come back: `coupon`",
            "- Reads `amount` as `total`",
            "| `order_id` | UUID | yes | The order &#124; its `id`. |",
            "| `total` | whole number (64 bits) | yes | In cents, without tax. |",
            "| `items` | list of `Item` | yes | What. |",
            "| `items[].sku` | text | yes | What. |",
            "| `items[].count` | whole number from 0 (32 bits) | when written | How many. |",
            "| `items[].parts` | list of `Item` | yes | What is in it. |",
            "| `note` | text or nothing | when written | Why \\\\&#124; so. |",
            "Retired: it can be read, and not emitted.",
        ],
    );
    assert!(!file("events/order.placed.md").contains("parts[]"), "an item is in an item for ever");
}

#[test]
fn a_page_says_how_each_consumer_is_run() {
    assert_says(
        &file("events/order.placed.md"),
        &[
            "### Consumer mail.receipt",
            "> Sends a receipt.",
            "Takes version 2, in `outbox-codegen/tests/overview/shop.rs`.",
            "| `delivery` | at least once |",
            "| `retry` | 8 attempts, 1s to 5m apart |",
            "| `timeout` | 20s for an attempt |",
            "| `delay` | 1m after the event |",
            "| `when` | a function says which |",
            "| `start` | with what comes after its registration |",
            "| `audit` | every outcome is kept |",
            "| `delivery` | exactly once, in the database |",
            "| `on_dead` | a dead letter holds its key |",
            "| `shards` | 4 |",
        ],
    );
    assert_says(
        &file("events/parcel~moved.md"),
        &["| `retry` | one attempt |", "| `on_dead` | a key goes on without its dead letter |"],
    );
    assert_says(
        &file("events/stripe~invoice.paid.md"),
        &["| `batch` | up to 500 events, gathered for 1s |"],
    );
}

#[test]
fn an_enum_has_a_table_for_each_variant() {
    assert_says(
        &file("events/parcel~moved.md"),
        &[
            "Variant `sent`: It left.",
            "| `at` | date and time | yes | When. |",
            "Variant `returned`: It came back.",
            "| `reason` | `Refused` or `Unknown` | yes | Why. |",
            "Variant `lost`: Nobody knows.",
        ],
    );
}

#[test]
fn a_page_says_which_handlers_emit() {
    assert_says(
        &file("events/parcel~moved.md"),
        &[
            "| `send_parcel` | 1 | the caller's | `outbox-codegen/tests/overview/shop.rs` | Sends a \
             parcel. |",
            "Perhaps also code that calls `emit`: a registry knows handlers only.",
        ],
    );
    let mut retired = shop();
    retired.events.iter_mut().for_each(|event| event.retired = true);
    let files = catalog::files(&retired);
    let page = &files[Path::new("events/order.placed.md")];
    assert_says(page, &["Nothing any more: every version is retired."]);
}

#[test]
fn an_event_that_no_registry_lists_has_a_page_without_versions() {
    let mut registry = shop();
    registry.events.retain(|event| event.name == "order.placed");
    let files = catalog::files(&registry);
    let page = &files[Path::new("events/parcel~moved.md")];
    let handler = "| `send_parcel` | 1 | the caller's | `outbox-codegen/tests/overview/shop.rs` | Sends a \
                   parcel. |";
    assert_says(page, &["No registry lists this event.", handler, "### Consumer mail.parcel"]);
    assert!(!page.contains("retired"), "{page}");
    let page = &files[Path::new("events/stripe~invoice.paid.md")];
    assert_says(page, &["No registry lists this event.", "No handler of the registry."]);
}
