//! The rule of one consumer on EventBridge.

use outbox_runtime::ConsumerInfo;
use serde_json::{Value, json};

use crate::documents::names::id;
use crate::documents::text;

/// The longest name of a rule, and the longest description, in characters.
const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 512;

/// The input of `PutRule`.
pub(super) fn of(consumer: &ConsumerInfo, source: &str) -> Value {
    let mut pattern = json!({ "source": [source], "detail-type": [consumer.event_name] });
    pattern.sort_all_objects();
    let about = text::summary(consumer.declared.docs).unwrap_or_else(|| {
        format!("`{}` for the consumer `{}`.", consumer.event_name, consumer.options.name)
    });
    json!({
        "Name": name(consumer.options.name),
        "Description": about.chars().take(MAX_DESCRIPTION).collect::<String>(),
        "EventPattern": pattern.to_string(),
    })
}

/// The name of a consumer's rule.
pub(super) fn name(consumer: &str) -> String {
    let id = id(consumer);
    if id.len() <= MAX_NAME {
        return id;
    }
    let hash = format!("-{:08x}", fnv1a(consumer));
    let kept: String = id.chars().take(MAX_NAME - hash.len()).collect();
    format!("{kept}{hash}")
}

/// The hash FNV-1a of 32 bits: the same for ever.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(
            [fnv1a(""), fnv1a("a"), fnv1a("foobar")],
            [0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968]
        );
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (long, other) = ("a/".repeat(40) + "b", "a/".repeat(40) + "c");
        assert_eq!(name(&long).len(), MAX_NAME);
        assert_ne!(name(&long), name(&other));
        assert_eq!(name("mail:receipt"), "mail..receipt");
    }
}
