//! Types of TypeScript, as far as payloads need them.

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// Anything.
    Unknown,
    /// Nothing.
    Never,
    /// A name, a keyword or a literal, as it is written.
    Word(String),
    Array(Box<Type>),
    Tuple(Tuple),
    Object(Object),
    Union(Vec<Type>),
    Intersection(Vec<Type>),
}

/// A list whose first items have types of their own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tuple {
    pub(super) items: Vec<Type>,
    /// How many of the items are always there.
    pub(super) required: usize,
    /// What may follow.
    pub(super) rest: Option<Box<Type>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) properties: Vec<Property>,
    /// The type of every property, where others than these may be there.
    pub(super) others: Option<Box<Type>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) required: bool,
    pub(super) value: Type,
}

impl Type {
    pub(super) fn word(word: &str) -> Self {
        Self::Word(word.to_owned())
    }

    /// Any object.
    pub(super) fn any_object() -> Self {
        Self::Object(Object { properties: Vec::new(), others: Some(Box::new(Self::Unknown)) })
    }

    /// One of these.
    pub(super) fn union(types: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for one in types {
            match one {
                Self::Unknown => return Self::Unknown,
                Self::Never => {}
                Self::Union(more) => more.into_iter().for_each(|one| add(&mut members, one)),
                one => add(&mut members, one),
            }
        }
        single(members, Self::Never, Self::Union)
    }

    /// All of these at once.
    pub(super) fn intersection(types: impl IntoIterator<Item = Self>) -> Self {
        let mut members = Vec::new();
        for one in types {
            match one {
                Self::Never => return Self::Never,
                Self::Unknown => {}
                Self::Intersection(more) => more.into_iter().for_each(|one| add(&mut members, one)),
                one => add(&mut members, one),
            }
        }
        single(members, Self::Unknown, Self::Intersection)
    }
}

fn add(members: &mut Vec<Type>, one: Type) {
    if !members.contains(&one) {
        members.push(one);
    }
}

fn single(mut members: Vec<Type>, none: Type, many: fn(Vec<Type>) -> Type) -> Type {
    match members.len() {
        0 => none,
        1 => members.remove(0),
        _ => many(members),
    }
}
