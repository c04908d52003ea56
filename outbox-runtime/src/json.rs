//! JSON texts: how deep they are, and reading them.

use serde::de::DeserializeOwned;

/// Deepest nesting of arrays and objects in a payload.
pub(crate) const MAX_DEPTH: usize = 128;

/// Reads a text of at most [`MAX_DEPTH`]. serde_json by itself reads one level less, and what was
/// accepted at emit must be readable.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let error = match serde_json::from_str(json) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if Shape::of(json).depth != MAX_DEPTH {
        return Err(error);
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.disable_recursion_limit();
    let value = T::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// What one look at the bytes of a JSON text tells.
pub(crate) struct Shape {
    pub(crate) depth: usize,
    pub(crate) has_nul: bool,
}

impl Shape {
    /// Trusts the text to be JSON, as everything from serde_json is.
    pub(crate) fn of(json: &str) -> Self {
        let mut shape = Self { depth: 0, has_nul: false };
        let (mut open, mut in_string) = (0_usize, false);
        let mut bytes = json.as_bytes().iter().enumerate();
        while let Some((index, byte)) = bytes.next() {
            match (in_string, byte) {
                (true, b'\\') => {
                    shape.has_nul |= json.as_bytes()[index + 1..].starts_with(b"u0000");
                    bytes.next();
                }
                (_, b'"') => in_string = !in_string,
                (false, b'{' | b'[') => {
                    open += 1;
                    shape.depth = shape.depth.max(open);
                }
                (false, b'}' | b']') => open = open.saturating_sub(1),
                _ => {}
            }
        }
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_nested_containers_outside_strings() {
        assert_eq!(Shape::of("1").depth, 0);
        assert_eq!(Shape::of(r#"{"a":[{"b":"[[[["}],"c":{}}"#).depth, 3);
        assert_eq!(Shape::of(r#""\"[""#).depth, 0);
    }

    #[test]
    fn what_is_as_deep_as_allowed_is_readable_and_what_is_deeper_is_not() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        for depth in [1, MAX_DEPTH - 1, MAX_DEPTH] {
            read::<serde_json::Value>(&nested(depth)).unwrap();
        }
        let error = read::<serde_json::Value>(&nested(MAX_DEPTH + 1)).unwrap_err().to_string();
        assert!(error.contains("recursion limit"), "{error}");
    }

    #[test]
    fn only_a_real_nul_escape_is_one() {
        assert!(Shape::of(r#""a\u0000b""#).has_nul);
        assert!(!Shape::of(r#""a\\u0000b""#).has_nul);
        assert!(!Shape::of(r#""u0000""#).has_nul);
    }
}
