//! Schemas and rules for EventBridge, given to AWS's client and to moto.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jsonschema::Draft;
use outbox_codegen::documents::eventbridge::{self, Error};
use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use crate::events::shop;
use crate::log::events;
use crate::odd;
use crate::tools::Folder;

const SOURCE: &str = "com.example.shop";

fn files() -> BTreeMap<PathBuf, String> {
    eventbridge::files(&shop(), SOURCE).expect("documents")
}

#[test]
fn rules_let_through_what_their_consumers_take_and_it_fits_the_schemas() {
    let folder = Folder::new();
    for (path, text) in files() {
        folder.write(path.to_str().expect("a name in ASCII"), &text);
    }
    let mut entries: Vec<Value> =
        events().iter().map(|event| eventbridge::entry(event, SOURCE).expect("an entry")).collect();
    let mut of_others = entries[0].clone();
    of_others["Source"] = json!("com.example.other");
    entries.push(of_others);
    folder.write("entries.json", &json!(entries).to_string());

    let output = folder.python("eventbridge.py");
    assert!(output.success, "{}", output.text);
    let told: Value = serde_json::from_str(&output.text).expect("JSON");
    let id = |name: &str| {
        let event = events().iter().find(|event| event.name == name).expect("emitted");
        event.id.to_string()
    };
    assert_eq!(
        told["through"],
        json!({
            "archive": [id("order.placed")],
            "ledger...settled": [id("stripe:payment.settled")],
            "mail..receipt": [id("order.placed")],
        })
    );
    assert_eq!(told["checked"], 3);
    assert_eq!(told["schemas"], 7);
}

#[test]
fn every_event_of_the_log_fits_its_schema_and_no_other() {
    let files = files();
    let schemas: Vec<Value> = files
        .iter()
        .filter(|(path, _)| path.starts_with("schemas"))
        .map(|(_, text)| serde_json::from_str(text).expect("JSON"))
        .collect();
    assert_eq!(schemas.len(), 7);
    for event in events() {
        let entry = eventbridge::entry(event, SOURCE).expect("an entry");
        let detail: Value =
            serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
        let whole = json!({
            "version": "0", "id": "1", "account": "123456789012", "region": "eu-west-1",
            "resources": [], "source": entry["Source"], "detail-type": entry["DetailType"],
            "time": entry["Time"], "detail": detail,
        });
        let fitting = schemas.iter().filter(|schema| {
            let options = jsonschema::options().with_draft(Draft::Draft4);
            options.build(schema).expect("a schema").is_valid(&whole)
        });
        assert_eq!(fitting.count(), 1, "{whole}");
    }
}

#[test]
fn a_rule_is_the_input_of_put_rule() {
    let rule: Value =
        serde_json::from_str(&files()[Path::new("rules/mail..receipt.json")]).expect("JSON");
    assert_eq!(
        rule,
        json!({
            "Name": "mail..receipt",
            "Description": "Sends a receipt.",
            "EventPattern": r#"{"detail-type":["order.placed"],"source":["com.example.shop"]}"#,
        })
    );
}

#[test]
fn what_eventbridge_does_not_take_is_an_error() {
    for source in ["", "aws.shop", &"a".repeat(257)] {
        let error = eventbridge::files(&shop(), source).expect_err("no source");
        assert_eq!(error, Error::Source(source.to_owned()));
    }
    let error = eventbridge::files(&odd::one(named), SOURCE).expect_err("no such keyword");
    assert_eq!(
        error.to_string(),
        "`order.placed` version 2: `propertyNames` cannot be said in draft 4 of JSON Schema, at \
         /propertyNames of the schema that it writes; EventBridge takes nothing newer than draft 4"
    );
    let error = eventbridge::files(&odd::one(long), SOURCE).expect_err("too long");
    assert!(matches!(error, Error::TooLong { version: 2, .. }), "{error}");
}

fn named() -> Schema {
    json_schema!({ "type": "object", "propertyNames": { "pattern": "^a" } })
}

fn long() -> Schema {
    json_schema!({ "type": "object", "description": "a".repeat(100_000) })
}
