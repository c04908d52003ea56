//! Names that stand for themselves, as of `struct Chain(Option<Box<Chain>>)`: TypeScript refuses them
//! unless an object or a list is in between.

use std::collections::{BTreeMap, BTreeSet};

use super::types::Type;

/// Makes `unknown` of the types that would stand for themselves.
pub(super) fn cut(types: &mut BTreeMap<String, Type>) {
    let names: Vec<String> = types.keys().cloned().collect();
    for name in names {
        let mut seen = BTreeSet::new();
        let mut next = types.get(&name).map(bare).unwrap_or_default();
        while let Some(other) = next.pop() {
            if let Some(one) = types.get(&other)
                && seen.insert(other)
            {
                next.extend(bare(one));
            }
        }
        if seen.contains(&name) {
            types.insert(name, Type::Unknown);
        }
    }
}

/// The words of a type that are not inside of an object or a list.
fn bare(one: &Type) -> Vec<String> {
    match one {
        Type::Word(word) => vec![word.clone()],
        Type::Union(members) | Type::Intersection(members) => {
            members.iter().flat_map(bare).collect()
        }
        Type::Unknown | Type::Never | Type::Array(_) | Type::Tuple(_) | Type::Object(_) => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_for_itself_is_cut() {
        let word = Type::word;
        let mut types = BTreeMap::from([
            ("A".to_owned(), Type::union([word("B"), word("null")])),
            ("B".to_owned(), word("A")),
            ("C".to_owned(), Type::union([word("A"), Type::Array(Box::new(word("C")))])),
        ]);
        let listed = types["C"].clone();
        cut(&mut types);
        assert_eq!((&types["A"], &types["B"]), (&Type::Unknown, &word("A")));
        assert_eq!(types["C"], listed);
    }
}
