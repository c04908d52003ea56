//! Names in documents, made from names of events, consumers and types.

use std::collections::BTreeSet;

use outbox_runtime::EventInfo;

/// A name of an event or a consumer in letters, digits, `.`, `-` and `_`: `:` becomes `..`, and `/`
/// becomes `...`. Different names stay different, since no segment of a name is empty.
pub(super) fn id(name: &str) -> String {
    name.replace(':', "..").replace('/', "...")
}

/// The same of a version of an event: `order.placed.v1`.
pub(super) fn version_id(event: &EventInfo) -> String {
    format!("{}.v{}", id(event.name), event.version)
}

/// A name of a version of an event in letters and digits: `OrderPlacedV1`. Not all of them are
/// different.
pub(super) fn type_name(event: &EventInfo) -> String {
    let words = event.name.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name: String = words.map(capitalised).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "Event");
    }
    format!("{name}V{}", event.version)
}

/// A name of anything in letters, digits and `_`. Not all of them are different.
pub(super) fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// Names of which each is given out once.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// The name that is wanted, or if that is taken, the name with the first number that is free.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut free = std::iter::once(wanted.to_owned())
            .chain(numbered)
            .skip_while(|name| self.taken.contains(name));
        let name = free.next().unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_different_names_are_different() {
        let ids: BTreeSet<String> =
            ["a.b", "a:b", "a/b", "a_b", "a-b", "ab"].iter().map(|name| id(name)).collect();
        assert_eq!(ids.len(), 6);
        assert_eq!(id("stripe:invoice.paid"), "stripe..invoice.paid");
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut names = Names::default();
        assert_eq!(
            ["A", "A", "A_2", "A"].map(|name| names.take(name)),
            ["A", "A_2", "A_2_2", "A_3"]
        );
    }
}
