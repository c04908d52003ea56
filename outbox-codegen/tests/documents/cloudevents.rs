//! CloudEvents, read by the SDK for JavaScript.

use outbox_codegen::documents::cloudevents::{CONTENT_TYPE, Source, structured};
use serde_json::Value;

use crate::log::{event, events};
use crate::tools::{Folder, Output};

fn source() -> Source {
    let source = Source::new("/shop").expect("a URI reference");
    source.schemas("https://example.com/schemas/").expect("a URI")
}

fn read(lines: &[String]) -> Output {
    let folder = Folder::new();
    folder.write("events.txt", &lines.join("\n"));
    folder.write("content-type.txt", CONTENT_TYPE);
    folder.node("cloudevents.cjs")
}

#[test]
fn the_sdk_reads_every_event_strictly() {
    let fit: Vec<_> =
        events().iter().filter(|event| event.key.as_deref() != Some("a\u{1}b")).collect();
    assert_eq!(fit.len(), events().len() - 1);
    let lines: Vec<String> =
        fit.iter().map(|event| structured(event, &source()).expect("a CloudEvent")).collect();
    let output = read(&lines);
    assert!(output.success, "{}", output.text);
    let read: Vec<Value> =
        output.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(read.len(), fit.len());
    for (read, event) in read.iter().zip(fit) {
        assert_eq!(read["id"], event.id.to_string());
        assert_eq!(read["type"], event.name.as_str());
        assert_eq!(read["subject"].as_str(), event.key.as_deref());
        assert_eq!(read["partitionkey"].as_str(), event.key.as_deref());
    }
}

#[test]
fn the_sdk_refuses_what_is_wrong() {
    let placed = event("order.placed", Some("9007199254740993"));
    let line = structured(placed, &source()).expect("a CloudEvent");
    for wrong in [
        line.replace("\"source\"", "\"sauce\""),
        line.replace("\"tenant\"", "\"tenant_id\""),
        line.replace("\"type\":\"order.placed\"", "\"typ\":\"order.placed\""),
    ] {
        assert_ne!(wrong, line);
        let output = read(&[wrong]);
        assert!(!output.success, "{}", output.text);
    }
}

#[test]
fn attributes_are_those_of_the_table() {
    let placed = event("order.placed", Some("9007199254740993"));
    let text = structured(placed, &source()).expect("a CloudEvent");
    let event: Value = serde_json::from_str(&text).expect("JSON");
    let expected = [
        ("specversion", "1.0"),
        ("source", "/shop"),
        ("time", "2020-09-13T12:26:40+00:00"),
        ("datacontenttype", "application/json"),
        ("dataschema", "https://example.com/schemas/order.placed/v2.write.json"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "a=1"),
        ("correlationid", "req-1"),
        ("tenant", "acme"),
    ];
    for (name, value) in expected {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!(event["version"], 2);
    assert_eq!(event["id"], placed.id.to_string());
    assert_eq!(event.get("Not-An-Attribute"), None);
    let raw = format!("\"data\":{}}}", placed.payload.get());
    assert!(text.ends_with(&raw), "the payload is not as it is stored: {text}");
}

#[test]
fn what_cloudevents_does_not_allow_is_an_error() {
    let broken = event("order_placed", Some("a\u{1}b"));
    let error = structured(broken, &source()).expect_err("a control character");
    assert_eq!(error.to_string(), "\"a\\u{1}b\" cannot be the `subject` of a CloudEvent");
    assert!(Source::new("").is_err() && Source::new("a b").is_err());
    assert!(source().schemas("/relative").is_err());
}
