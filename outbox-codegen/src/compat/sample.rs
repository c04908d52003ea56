//! Small values of schemas, from which witnesses are made.

use std::rc::Rc;

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value};

use super::engine::Engine;
use super::format;
use super::number::Num;
use super::shape::{Alternative, ArrayShape, NumberShape, ObjectShape, Shape, Term, TextShape};

/// The most values that are made of one schema.
const MOST: usize = 24;

/// The longest text and array that is made.
const LONGEST: u64 = 5_000;

impl<'a> Engine<'a> {
    /// Some values of a writer's schema, the simplest first; none where none was found.
    pub(crate) fn samples(&mut self, term: &Term) -> Rc<Vec<Value>> {
        if let Some(known) = self.sampled.get(term) {
            return Rc::clone(known);
        }
        // While it is looked at, as of a list that holds itself, there is none.
        self.sampled.insert(term.clone(), Rc::default());
        let mut values = Vec::new();
        if let Ok(alternatives) = self.expand(term, true) {
            for alternative in alternatives.iter() {
                for value in self.samples_of(alternative) {
                    if values.len() < MOST && self.accepts_all(term, &value) == Ok(true) {
                        values.push(value);
                    }
                }
            }
        }
        let values = Rc::new(values);
        // Values of a loop that was cut short here may exist for who asks from outside of it.
        match values.is_empty() {
            true => self.sampled.remove(term),
            false => self.sampled.insert(term.clone(), Rc::clone(&values)),
        };
        values
    }

    /// The simplest value of a writer's schema.
    pub(crate) fn sample(&mut self, term: &Term) -> Option<Value> {
        self.samples(term).first().cloned()
    }

    pub(crate) fn samples_of(&mut self, alternative: &Alternative<'a>) -> Vec<Value> {
        match &alternative.shape {
            Shape::Literal(value) => vec![(*value).clone()],
            Shape::Number(number) => numbers(number, &[]),
            Shape::Text(text) => texts(text, &TextShape::default()),
            Shape::Array(array) => self.array(array, array.min).into_iter().collect(),
            Shape::Object(object) => self.object_with(object, &[]).into_iter().collect(),
        }
    }

    /// An array of this length.
    pub(crate) fn array(&mut self, array: &ArrayShape, length: u64) -> Option<Value> {
        if length > LONGEST {
            return None;
        }
        let mut items: Vec<Value> = Vec::new();
        for index in 0..length {
            let term = array.prefix.get(index as usize).unwrap_or(&array.rest).clone();
            let candidates = self.samples(&term);
            let new = |value: &&Value| !array.unique || !items.contains(value);
            let item = candidates.iter().find(new).cloned();
            items.push(item?);
        }
        Some(Value::Array(items))
    }

    /// An array whose item at this place is this.
    pub(crate) fn array_with(
        &mut self,
        array: &ArrayShape,
        index: usize,
        item: Value,
    ) -> Option<Value> {
        let length = array.min.max(index as u64 + 1);
        let Some(Value::Array(mut items)) = self.array(array, length) else { return None };
        items[index] = item;
        Some(Value::Array(items))
    }

    /// The smallest object with these properties. Values given for them are taken as they are.
    pub(crate) fn object_with(
        &mut self,
        object: &ObjectShape<'a>,
        given: &[(&str, Value)],
    ) -> Option<Value> {
        let mut map = Map::new();
        for (name, property) in &object.properties {
            if let Some((_, value)) = given.iter().find(|(given, _)| given == name) {
                map.insert((*name).to_owned(), value.clone());
            } else if property.required {
                map.insert((*name).to_owned(), self.sample(&property.term)?);
            }
        }
        for (name, value) in given {
            map.entry(*name).or_insert_with(|| value.clone());
        }
        let mut fill = 0;
        while (map.len() as u64) < object.min {
            fill += 1;
            let optional = object.properties.iter().find(|(name, _)| !map.contains_key(**name));
            let (name, term) = match optional {
                Some((name, property)) => ((*name).to_owned(), property.term.clone()),
                None => (format!("property{fill}"), object.rest.clone()),
            };
            if fill > LONGEST {
                return None;
            }
            if let Some(value) = self.sample(&term) {
                map.insert(name, value);
            }
        }
        Some(Value::Object(map))
    }

    /// A name of a property that the object does not know.
    pub(crate) fn new_name(
        &mut self,
        objects: &[&ObjectShape<'_>],
        like: Option<&str>,
    ) -> Option<String> {
        let names = like.map_or_else(
            || {
                (0..100)
                    .map(|n| if n == 0 { "other".to_owned() } else { format!("other{n}") })
                    .collect()
            },
            texts_of_pattern,
        );
        names.into_iter().find(|name| {
            let known = objects.iter().any(|object| {
                object.properties.contains_key(name.as_str())
                    || object
                        .patterns
                        .iter()
                        .any(|(p, _)| Some(*p) != like && self.patterns.has(p, name))
            });
            !known && like.is_none_or(|pattern| self.patterns.has(pattern, name))
        })
    }
}

/// Numbers in the range, near its ends and near these.
pub(crate) fn numbers(number: &NumberShape, near: &[Num]) -> Vec<Value> {
    let range = if number.integer { number.range.integers() } else { number.range };
    let ends = [range.min, range.max].into_iter().flatten().map(|bound| bound.at);
    let around: Vec<Num> =
        [Num::Integer(0)].into_iter().chain(ends).chain(near.iter().copied()).collect();
    let mut candidates: Vec<Num> = Vec::new();
    for at in around {
        candidates.extend([at, at.plus(1.0), at.plus(-1.0), at.plus(0.5), at.plus(-0.5)]);
    }
    for step in &number.multiples {
        let below: Vec<Num> =
            candidates.iter().filter_map(|candidate| candidate.multiple_below(*step)).collect();
        candidates.extend(below.iter().copied());
        candidates.extend(below.iter().filter_map(|below| below.plus_num(*step)));
    }
    let fits = |candidate: &Num| {
        number.range.has(*candidate)
            && (!number.integer || candidate.is_integer())
            && number.multiples.iter().all(|step| candidate.is_multiple_of(*step) == Some(true))
    };
    candidates.into_iter().filter(fits).filter_map(Num::to_value).collect()
}

/// Texts of this shape, some of them just outside of the other one.
pub(crate) fn texts(text: &TextShape<'_>, outside: &TextShape<'_>) -> Vec<Value> {
    let mut bases: Vec<String> =
        vec![String::new(), "a".to_owned(), "0".to_owned(), "Ä b-1".to_owned()];
    bases.extend(
        text.formats.iter().filter_map(|format| format::example(format)).map(str::to_owned),
    );
    bases.extend(outside.formats.iter().filter_map(|f| format::example(f)).map(str::to_owned));
    bases.extend(text.patterns.iter().flat_map(|pattern| texts_of_pattern(pattern)));
    let lengths = [
        Some(text.min),
        text.max,
        outside.max.map(|max| max.saturating_add(1)),
        Some(outside.min.saturating_sub(1)),
    ];
    let lengths: Vec<u64> = lengths.into_iter().flatten().filter(|l| *l <= LONGEST).collect();
    let mut all = Vec::new();
    for base in bases {
        let own = base.chars().count() as u64;
        let fill = base.chars().last().unwrap_or('a');
        for length in lengths.iter().copied().chain([own]) {
            let mut letters: Vec<char> = base.chars().take(length as usize).collect();
            letters.resize(length as usize, fill);
            let sized: String = letters.into_iter().collect();
            if !all.contains(&sized) {
                all.push(sized);
            }
        }
    }
    let fits = |candidate: &String| {
        let length = candidate.chars().count() as u64;
        length >= text.min
            && text.max.is_none_or(|max| length <= max)
            && text.formats.iter().all(|name| format::has(name, candidate).unwrap_or(true))
    };
    all.into_iter().filter(fits).map(Value::String).collect()
}

/// Texts that a pattern is found in: the shortest, and some with more in its repetitions.
fn texts_of_pattern(pattern: &str) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let mut texts: Vec<String> = Vec::new();
    for more in 0..4 {
        for letter in 0..3 {
            let mut text = String::new();
            if write(&hir, more, letter, &mut text).is_some() && !texts.contains(&text) {
                texts.push(text);
            }
        }
    }
    texts
}

fn write(hir: &Hir, more: u32, letter: usize, to: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => to.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let range = class.ranges().get(letter).or_else(|| class.ranges().first())?;
            // Something that can be read, if there is something.
            let mut readable = class.iter().flat_map(|range| {
                ['a', 'A', '0', ' ', '-']
                    .into_iter()
                    .filter(|c| range.start() <= *c && *c <= range.end())
            });
            to.push(readable.nth(letter).unwrap_or(range.start()));
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repetition) => {
            let count = (repetition.min + more).min(repetition.max.unwrap_or(u32::MAX));
            for _ in 0..count.min(300) {
                write(&repetition.sub, more, letter, to)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, more, letter, to)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, more, letter, to)?;
            }
        }
        HirKind::Alternation(parts) => {
            write(parts.get(letter).or_else(|| parts.first())?, more, letter, to)?;
        }
    }
    Some(())
}
