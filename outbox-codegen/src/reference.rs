//! References of JSON Schemas into their own document: JSON pointers, percent-encoded as in a URI.

use serde_json::Value;

/// The JSON pointer that a reference such as `#/$defs/Page%3CItem%3E` is; none for another document.
pub(crate) fn pointer(reference: &str) -> Option<String> {
    percent_decoded(reference.strip_prefix('#')?)
}

/// What a schema refers to in its document, if it refers to something there.
pub(crate) fn followed<'a>(schema: &Value, root: &'a Value) -> Option<&'a Value> {
    root.pointer(&pointer(schema.get("$ref")?.as_str()?)?)
}

/// A text without `%20` and the like; none if it is no UTF-8 then.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |digit: &u8| char::from(*digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
        let (byte, after) = match tail {
            [high, low, after @ ..] if *first == b'%' => match hex(high).zip(hex(low)) {
                Some((high, low)) => (high * 16 + low, after),
                None => (*first, tail),
            },
            _ => (*first, tail),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_is_followed_as_it_is_escaped() {
        let root = json!({ "$defs": { "Page<a/b~>": { "type": "string" } } });
        let schema = json!({ "$ref": "#/$defs/Page%3Ca~1b~0%3E" });
        assert_eq!(followed(&schema, &root), Some(&root["$defs"]["Page<a/b~>"]));
        assert_eq!(followed(&json!({ "$ref": "#" }), &root), Some(&root));
        for lost in ["other.json", "#/$defs/Item", "#/%ff"] {
            assert_eq!(followed(&json!({ "$ref": lost }), &root), None);
        }
        assert_eq!(pointer("#/100%/%2").as_deref(), Some("/100%/%2"));
    }
}
