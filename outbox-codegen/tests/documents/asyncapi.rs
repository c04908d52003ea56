//! AsyncAPI documents, read by the official schema.

use outbox_codegen::documents::{Unconvertible, asyncapi};
use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use crate::convert::id;
use crate::events::{samples, shop};
use crate::odd;
use crate::tools::{Folder, Output};

fn validated(document: &Value, payloads: &Value) -> Output {
    let folder = Folder::new();
    folder.write("document.json", &document.to_string());
    folder.write("payloads.json", &payloads.to_string());
    folder.node("asyncapi.cjs")
}

fn document() -> Value {
    asyncapi::document(&shop(), Some("1.4.0")).expect("a document")
}

#[test]
fn the_official_schema_and_a_reader_accept_it() {
    let mut payloads = Vec::new();
    for sample in samples() {
        let id = format!("{}.v{}", id(sample.name), sample.version);
        payloads.push(json!({ "id": id, "payload": sample.payload, "valid": true }));
        payloads.push(json!({ "id": id, "payload": "text", "valid": false }));
    }
    let output = validated(&document(), &json!(payloads));
    assert!(output.success, "{}", output.text);
}

#[test]
fn the_official_schema_accepts_odd_payloads() {
    let document = asyncapi::document(&odd::registry(), None).expect("a document");
    let output = validated(&document, &json!([]));
    assert!(output.success, "{}", output.text);
}

#[test]
fn the_validator_refuses_what_is_wrong() {
    let mut unknown = document();
    unknown["channels"]["order.placed"]["adress"] = json!("order.placed");
    let output = validated(&unknown, &json!([]));
    assert!(!output.success && output.text.contains("/channels/order.placed"), "{}", output.text);

    let mut dangling = document();
    dangling["components"]["messages"]["order.placed.v2"].take();
    let output = validated(&dangling, &json!([]));
    assert!(!output.success, "{}", output.text);
}

#[test]
fn everything_of_the_registry_is_in_it() {
    let document = document();
    let at = |pointer: &str| document.pointer(pointer).unwrap_or(&Value::Null);
    assert_eq!(
        at("/info"),
        &json!({
            "title": "Shop", "version": "1.4.0", "description": "Sells things.",
        })
    );
    assert_eq!(at("/channels/stripe..payment.settled/address"), "stripe:payment.settled");
    assert_eq!(at("/components/messages/order.placed.v1/deprecated"), true);
    assert_eq!(at("/components/messages/order.placed.v2/deprecated"), &Value::Null);

    assert!(at("/components/schemas/order.placed.v1_Address/properties/line").is_object());
    assert!(at("/components/schemas/order.placed.v2_Address/properties/street").is_object());

    let message = at("/components/messages/order.placed.v2");
    assert_eq!(message["title"], "OrderPlaced");
    assert_eq!(message["summary"], "An order was placed.");
    assert!(message["description"].as_str().is_some_and(|text| text.ends_with("ünïcödé 🦀.")));
    assert_eq!(message["contentType"], "application/json");
    assert_eq!(message["correlationId"]["location"], "$message.header#/correlation_id");
    assert_eq!(message["examples"][0]["payload"]["a \"quoted\" näme"], true);
    assert_eq!(message["x-outbox-event"]["key"], "order_id");
}

#[test]
fn handlers_the_application_and_consumers_have_operations() {
    let document = document();
    let operations = document["operations"].as_object().expect("operations");
    let keys: Vec<&str> = operations.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "consume.archive",
            "consume.ledger...settled",
            "consume.mail..receipt",
            "emit.2fa.enabled",
            "emit.add_line",
            "emit.forum...thread..posted",
            "emit.order.placed",
            "emit.place",
            "emit.stripe..payment.settled",
        ]
    );
    let messages = |key: &str| operations[key]["messages"].clone();
    assert_eq!(
        messages("emit.order.placed"),
        json!([
            { "$ref": "#/channels/order.placed/messages/v2" },
        ])
    );
    assert_eq!(
        messages("consume.archive"),
        json!([{ "$ref": "#/channels/order.placed/messages/v1" }])
    );
    assert_eq!(
        messages("consume.mail..receipt"),
        json!([
            { "$ref": "#/channels/order.placed/messages/v1" },
            { "$ref": "#/channels/order.placed/messages/v2" },
        ])
    );
    assert_eq!(operations["emit.place"]["summary"], "Places an order.");

    let receipt = &operations["consume.mail..receipt"];
    assert_eq!(
        (&receipt["action"], &receipt["summary"]),
        (&json!("receive"), &json!("Sends a receipt."))
    );
    let options = &receipt["x-outbox-consumer"];
    assert_eq!(options["retry"], json!({ "max": 5, "custom": false, "backoffMs": [1000, 60000] }));
    assert_eq!(options["delayMs"], 60000);
    assert_eq!(options["timeoutMs"], 20000);
    assert_eq!(options["ordered"], true);
    assert_eq!(operations["consume.ledger...settled"]["x-outbox-consumer"]["delivery"], "tx");
}

/// The references of a document that lead nowhere.
fn dangling(value: &Value, document: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str);
            let lost = target.filter(|to| document.pointer(to.trim_start_matches('#')).is_none());
            let below = members.values().flat_map(|member| dangling(member, document));
            lost.map(str::to_owned).into_iter().chain(below).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| dangling(item, document)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn what_the_registry_names_and_does_not_list_has_a_channel_without_messages() {
    let mut registry = shop();
    registry.events.clear();
    let document = asyncapi::document(&registry, None).expect("a document");
    assert_eq!(dangling(&document, &document), [""; 0]);
    let settled = &document["channels"]["stripe..payment.settled"];
    assert_eq!(settled["address"], "stripe:payment.settled");
    assert_eq!(settled["messages"], json!({}));
    assert_eq!(document["operations"]["emit.place"]["messages"], json!([]));

    let mut broken = self::document();
    broken["channels"].take();
    assert!(!dangling(&broken, &broken).is_empty(), "the test follows no reference");
}

#[test]
fn what_draft_7_cannot_say_is_an_error_that_names_the_place() {
    let error = asyncapi::document(&odd::one(closed), None).expect_err("no such keyword");
    assert_eq!(
        error.to_string(),
        "`order.placed` version 2: `unevaluatedItems` cannot be said in draft 7 of JSON Schema, \
         at /properties/a~1b/unevaluatedItems of the schema that it writes"
    );
    let error: Unconvertible =
        asyncapi::document(&odd::one(elsewhere), None).expect_err("no such reference");
    assert_eq!(error.pointer, "/items/$ref");
}

fn closed() -> Schema {
    json_schema!({ "properties": { "a/b": { "unevaluatedItems": false } } })
}

fn elsewhere() -> Schema {
    json_schema!({ "items": { "$ref": "https://example.com/other.json" } })
}
