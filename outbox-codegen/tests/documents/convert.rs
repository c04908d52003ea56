//! Schemas in the words of older drafts: they accept what the ones of schemars accept.

use std::path::Path;

use jsonschema::{Draft, Validator};
use outbox_codegen::documents::{asyncapi, eventbridge};
use outbox_runtime::EventInfo;
use serde_json::{Value, json};

use crate::events::{samples, shop};
use crate::mutate::mutations;

fn validator(schema: &Value, draft: Draft) -> Validator {
    jsonschema::options()
        .with_draft(draft)
        .should_validate_formats(false)
        .build(schema)
        .expect("a schema")
}

/// The payload's schema alone, of what EventBridge gets.
fn draft4(event: &EventInfo) -> Value {
    let name = format!("schemas/{}.v{}.json", id(event.name), event.version);
    let files = eventbridge::files(&shop(), "com.example.shop").expect("documents");
    let mut schema: Value = serde_json::from_str(&files[Path::new(&name)]).expect("JSON");
    let definitions = schema["definitions"].take();
    json!({ "$ref": "#/definitions/Payload", "definitions": definitions })
}

/// The same of what is in the AsyncAPI document.
fn draft7(event: &EventInfo) -> Value {
    let mut document = asyncapi::document(&shop(), None).expect("a document");
    let reference = format!("#/components/schemas/{}.v{}", id(event.name), event.version);
    let schemas = document["components"]["schemas"].take();
    json!({ "$ref": reference, "components": { "schemas": schemas } })
}

pub(crate) fn id(name: &str) -> String {
    name.replace(':', "..").replace('/', "...")
}

#[test]
fn older_words_accept_the_same_values() {
    let (mut accepted, mut refused) = (0, 0);
    for sample in samples() {
        let registry = shop();
        let event = registry
            .events
            .iter()
            .find(|event| (event.name, event.version) == (sample.name, sample.version))
            .expect("its event");
        let written = (event.write_schema)().to_value();
        let original = validator(&written, Draft::Draft202012);
        let older =
            [validator(&draft4(event), Draft::Draft4), validator(&draft7(event), Draft::Draft7)];
        let values = [vec![sample.payload.clone()], mutations(&sample.payload)].concat();
        for value in values {
            let valid = original.is_valid(&value);
            for one in &older {
                let name = event.name;
                assert_eq!(one.is_valid(&value), valid, "{name} ({:?}): {value}", one.draft());
            }
            if valid { accepted += 1 } else { refused += 1 }
        }
        assert!(original.is_valid(&sample.payload));
    }
    assert!(accepted > 200 && refused > 500, "{accepted} accepted, {refused} refused");
}
