//! Random pairs of schemas: what is called compatible reads every value that is tried, and what is
//! called breaking has a value that shows it, in the eyes of an independent validator.

use fastrand::Rng;
use outbox_codegen::compat::{Answer, compare};
use serde_json::{Value, json};

use crate::schemas::{change, document};
use crate::values::{guess, validator};

/// How many pairs, where `OUTBOX_PAIRS` does not say.
const PAIRS: u64 = 1_500;

/// How many values are tried of each pair that is called compatible.
const VALUES: u32 = 60;

/// The schema of a writer, who writes no property that it does not declare.
fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    let Value::Object(keywords) = schema else { return };
    for (name, value) in keywords.iter_mut() {
        match (name.as_str(), value) {
            ("properties" | "$defs" | "patternProperties", Value::Object(schemas)) => {
                schemas.values_mut().for_each(close);
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(close);
            }
            ("items" | "additionalProperties", schema) => close(schema),
            _ => {}
        }
    }
    let is_object = keywords.get("type") == Some(&json!("object"));
    let says = |keyword| keywords.contains_key(keyword);
    if is_object
        && !["additionalProperties", "unevaluatedProperties", "allOf"].into_iter().any(says)
    {
        keywords.insert("additionalProperties".into(), json!(false));
    }
}

#[test]
fn no_verdict_on_a_random_pair_is_wrong() {
    let pairs = std::env::var("OUTBOX_PAIRS").ok().and_then(|pairs| pairs.parse().ok());
    let pairs = pairs.unwrap_or(PAIRS);
    let (mut compatible, mut breaking, mut undecided) = (0, 0, 0);
    let (mut values, mut witnesses) = (0, 0);
    for seed in 0..pairs {
        let mut rng = Rng::with_seed(seed);
        let writer = document(&mut rng);
        let mut reader = writer.clone();
        match rng.u32(0..5) {
            0 => reader = document(&mut rng),
            changes => (0..changes).for_each(|_| change(&mut rng, &mut reader)),
        }
        let shown = || format!("seed {seed}\nwriter {writer}\nreader {reader}");
        // A change may have made a schema that is defined by nothing but itself.
        let Ok(answer) = compare(&writer, &reader) else { continue };
        let (writes, reads) = (validator(&writer), validator(&reader));
        match answer {
            Answer::Holds => {
                compatible += 1;
                let writes_only = validator(&closed(&writer));
                for _ in 0..VALUES {
                    let value = guess(&mut rng, &writer, &writer, 6);
                    if writes.is_valid(&value) && writes_only.is_valid(&value) {
                        values += 1;
                        assert!(reads.is_valid(&value), "{value} is not read; {}", shown());
                    }
                }
            }
            Answer::Breaks(breaks) => {
                breaking += 1;
                for one in breaks {
                    witnesses += 1;
                    assert!(writes.is_valid(&one.witness), "{one:?} is not written; {}", shown());
                    assert!(!reads.is_valid(&one.witness), "{one:?} is read; {}", shown());
                }
            }
            Answer::Unknown(_) => undecided += 1,
        }
    }
    println!(
        "{pairs} pairs: {compatible} compatible ({values} values read), {breaking} breaking \
         ({witnesses} witnesses refused), {undecided} undecided"
    );
    // The rest are schemas that nothing satisfies, of which there is no value to show.
    assert!(undecided * 20 < pairs, "{undecided} of {pairs} are undecided");
    assert!(compatible * 5 > pairs && breaking * 5 > pairs, "the pairs are of one kind");
}
