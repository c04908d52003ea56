//! Payloads that types refuse.

use serde_json::{Value, json};

use crate::events::samples;
use crate::typescript::{compiled, type_of};

/// A program of which every line is an error. (`@ts-expect-error` is one itself where there is none.)
#[derive(Default)]
struct Wrong {
    program: String,
    lines: u32,
}

impl Wrong {
    fn add(&mut self, one: &str, value: &Value) {
        let number = self.lines;
        self.lines += 1;
        self.program.push_str(&format!(
            "// @ts-expect-error\nexport const w{number}: shop.{one} = {value};\n"
        ));
    }

    /// Adds a payload with another value at one place.
    fn change(&mut self, one: &str, payload: &Value, pointer: &str, value: Value) {
        let mut payload = payload.clone();
        *payload.pointer_mut(pointer).expect("a place in the payload") = value;
        self.add(one, &payload);
    }

    fn check(self) {
        let output = compiled(&self.program);
        assert!(output.success, "{}", output.text);
    }
}

/// The first payload of an event.
fn payload(name: &str, version: u32) -> Value {
    let mut samples = samples().into_iter();
    let sample = samples.find(|sample| (sample.name, sample.version) == (name, version));
    sample.expect("a sample").payload
}

#[test]
fn a_payload_is_an_object() {
    let mut wrong = Wrong::default();
    for sample in samples() {
        let one = type_of(sample.name, sample.version);
        for value in [json!(null), json!("text"), json!(7)] {
            wrong.add(&one, &value);
        }
    }
    wrong.check();
}

#[test]
fn properties_have_their_types_and_are_there() {
    let mut wrong = Wrong::default();
    let placed = payload("order.placed", 2);
    for (property, value) in [
        ("order_id", json!("1")),
        ("at", json!(7)),
        ("note", json!(7)),
        ("coupon", json!(7)),
        ("address", json!({ "street": "x" })),
        ("address", json!({ "line": "x" })),
        ("lines", json!([{ "sku": "x" }])),
        ("tags", json!([1])),
        ("counts", json!({ "a": "1" })),
        ("by_number", json!({ "1": 1 })),
        ("type", json!("fax")),
        ("content-type", json!(1)),
        ("a \"quoted\" näme", json!("yes")),
        ("place", json!([1])),
        ("place", json!([1, 2, 3])),
        ("color", json!([1, 2])),
        ("unknown", json!(1)),
    ] {
        let mut payload = placed.clone();
        payload[property] = value;
        wrong.add("OrderPlacedV2", &payload);
    }
    for property in placed.as_object().expect("an object").keys() {
        let mut payload = placed.clone();
        payload.as_object_mut().expect("an object").remove(property);
        wrong.add("OrderPlacedV2", &payload);
    }
    wrong.check();
}

#[test]
fn every_way_to_tag_is_told_apart() {
    let mut wrong = Wrong::default();
    let settled = payload("stripe:payment.settled", 3);
    for (pointer, value) in [
        ("/external/0", json!("Other")),
        ("/external/1/New", json!("1")),
        ("/external/2/Tuple", json!([1])),
        ("/external/3/Fields/id", json!(null)),
        ("/internal/0/kind", json!("other")),
        ("/internal/1/sku", json!(1)),
        ("/internal/2/id", json!("1")),
        ("/adjacent/0/t", json!("Other")),
        ("/adjacent/1/c", json!("1")),
        ("/adjacent/2/c", json!([1, 2])),
        ("/untagged/0", json!(true)),
        ("/untagged/2/id", json!("1")),
        ("/last4", json!(4)),
        ("/method", json!("Coins")),
    ] {
        wrong.change("StripePaymentSettledV3", &settled, pointer, value);
    }
    wrong.check();
}

#[test]
fn what_is_deep_inside_counts_too() {
    let mut wrong = Wrong::default();
    let posted = payload("forum/thread:posted", 1);
    for (pointer, value) in [
        ("/first/answers", json!([{ "text": "x", "answers": [7] }])),
        ("/answers/0/answers/0/text", json!(7)),
        ("/tree/a", json!({ "b": 1 })),
        ("/first/first", json!({ "text": "x" })),
    ] {
        wrong.change("ForumThreadPostedV1", &posted, pointer, value);
    }
    wrong.check();
}
