//! Schemas in the words of older drafts: they accept what the ones of schemars accept.

use std::path::Path;

use jsonschema::{Draft, Validator};
use outbox_codegen::documents::{asyncapi, eventbridge};
use outbox_runtime::{EventInfo, RegistryInfo};
use serde_json::{Value, json};

use crate::events::{samples, shop};
use crate::mutate::{additions, mutations};
use crate::odd;

fn validator(schema: &Value, draft: Draft) -> Validator {
    jsonschema::options()
        .with_draft(draft)
        .should_validate_formats(false)
        .build(schema)
        .expect("a schema")
}

/// The payload's schema alone, of what EventBridge gets.
fn draft4(registry: &RegistryInfo, event: &EventInfo) -> Value {
    let name = format!("schemas/{}.v{}.json", id(event.name), event.version);
    let files = eventbridge::files(registry, "com.example.shop").expect("documents");
    let mut schema: Value = serde_json::from_str(&files[Path::new(&name)]).expect("JSON");
    let definitions = schema["definitions"].take();
    json!({ "$ref": "#/definitions/Payload", "definitions": definitions })
}

/// The same of what is in the AsyncAPI document.
fn draft7(registry: &RegistryInfo, event: &EventInfo) -> Value {
    let mut document = asyncapi::document(registry, None).expect("a document");
    let reference = format!("#/components/schemas/{}.v{}", id(event.name), event.version);
    let schemas = document["components"]["schemas"].take();
    json!({ "$ref": reference, "components": { "schemas": schemas } })
}

pub(crate) fn id(name: &str) -> String {
    name.replace(':', "..").replace('/', "...")
}

/// Whether values are valid: in the words of draft 2020-12, and the same in the others.
struct Drafts {
    name: String,
    original: Validator,
    older: [Validator; 2],
}

impl Drafts {
    fn new(registry: &RegistryInfo, event: &EventInfo) -> Self {
        let (four, seven) = (draft4(registry, event), draft7(registry, event));
        assert!(jsonschema::draft4::meta::is_valid(&four), "{four:#}");
        assert!(jsonschema::draft7::meta::is_valid(&seven), "{seven:#}");
        Self {
            name: format!("{} version {}", event.name, event.version),
            original: validator(&(event.write_schema)().to_value(), Draft::Draft202012),
            older: [validator(&four, Draft::Draft4), validator(&seven, Draft::Draft7)],
        }
    }

    fn accept(&self, value: &Value) -> bool {
        let valid = self.original.is_valid(value);
        for one in &self.older {
            assert_eq!(one.is_valid(value), valid, "{} ({:?}): {value}", self.name, one.draft());
        }
        valid
    }
}

#[test]
fn older_words_accept_the_same_values() {
    let registry = shop();
    let (mut accepted, mut refused) = (0, 0);
    for sample in samples() {
        let of_sample =
            |event: &&EventInfo| (event.name, event.version) == (sample.name, sample.version);
        let event = registry.events.iter().find(of_sample).expect("its event");
        let drafts = Drafts::new(&registry, event);
        let payload = &sample.payload;
        assert!(drafts.accept(payload));
        for value in [mutations(payload), additions(payload)].concat() {
            if drafts.accept(&value) { accepted += 1 } else { refused += 1 }
        }
    }
    assert!(accepted > 250 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn older_words_of_odd_schemas_accept_the_same_values() {
    let registry = odd::registry();
    let (mut accepted, mut refused) = (0, 0);
    for (event, odd) in registry.events.iter().zip(odd::all()) {
        let drafts = Drafts::new(&registry, event);
        for value in &odd.values {
            if drafts.accept(value) { accepted += 1 } else { refused += 1 }
        }
    }
    assert!(accepted > 30 && refused > 25, "{accepted} accepted, {refused} refused");
}
