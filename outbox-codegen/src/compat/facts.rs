//! What the keywords of schemas say together: an alternative of a schema, before it is a shape.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::accepts::{Unhandled, is_equal};
use super::arena::Id;
use super::engine::Engine;
use super::keywords::{items, range_of, required, whole};
use super::kinds::{Kind, Kinds};
use super::number::{Bound, Num, bounds_of_format};
use super::shape::{NumberShape, TextShape};

/// The most shapes that a schema may have.
const MOST_SHAPES: usize = 2_000;

/// What the keywords of several schemas say together.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    pub(super) kinds: Kinds,
    pub(super) literals: Option<Vec<&'a Value>>,
    pub(super) number: NumberShape,
    pub(super) text: TextShape<'a>,
    pub(super) arrays: Vec<Rc<ArrayLayer>>,
    pub(super) objects: Vec<Rc<ObjectLayer<'a>>>,
    pub(super) not: Vec<Id>,
    pub(super) unhandled: Vec<Unhandled>,
}

/// The alternatives of one or of several schemas, shared by all who look at them.
pub(super) type Union<'a> = Rc<Vec<Rc<Facts<'a>>>>;

#[derive(Clone, Debug, Default)]
pub(super) struct ArrayLayer {
    pub(super) prefix: Vec<Id>,
    pub(super) rest: Option<Id>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    pub(super) unique: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ObjectLayer<'a> {
    pub(super) properties: BTreeMap<&'a str, Id>,
    pub(super) patterns: Vec<(&'a str, Id)>,
    pub(super) additional: Option<Id>,
    pub(super) names: Option<Id>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

impl Default for Facts<'_> {
    fn default() -> Self {
        Self {
            kinds: Kinds::ALL,
            literals: None,
            number: NumberShape::default(),
            text: TextShape::default(),
            arrays: Vec::new(),
            objects: Vec::new(),
            not: Vec::new(),
            unhandled: Vec::new(),
        }
    }
}

impl<'a> Facts<'a> {
    /// Both; nothing where they contradict one another.
    fn and(&self, other: &Self) -> Option<Self> {
        let kinds = self.kinds.and(other.kinds);
        let literals = match (&self.literals, &other.literals) {
            (Some(own), Some(others)) => {
                let is_other = |one: &&&Value| others.iter().any(|other| is_equal(one, other));
                Some(own.iter().filter(is_other).copied().collect())
            }
            (own, others) => own.clone().or_else(|| others.clone()),
        };
        if is_contradiction(kinds, literals.as_deref()) {
            return None;
        }
        let mut both = Self { kinds, literals, ..self.clone() };
        both.number.integer |= other.number.integer;
        both.number.range.and(&other.number.range);
        both.number.multiples.extend(&other.number.multiples);
        both.text.and(&other.text);
        both.arrays.extend(other.arrays.iter().cloned());
        both.objects.extend(other.objects.iter().cloned());
        both.not.extend(&other.not);
        both.unhandled.extend(other.unhandled.iter().cloned());
        Some(both)
    }

    /// `unevaluatedProperties`: properties that nothing so far knows.
    fn close_with(&mut self, rest: Id) {
        if self.objects.iter().any(|layer| layer.additional.is_some()) {
            return;
        }
        let mut closing = ObjectLayer { additional: Some(rest), ..ObjectLayer::default() };
        for layer in &self.objects {
            closing.properties.extend(&layer.properties);
            closing.patterns.extend(&layer.patterns);
        }
        self.objects.push(Rc::new(closing));
    }
}

fn is_contradiction(kinds: Kinds, literals: Option<&[&Value]>) -> bool {
    kinds.is_empty() || literals.is_some_and(<[_]>::is_empty)
}

impl<'a> Engine<'a> {
    pub(super) fn facts_of_all(&mut self, term: &[Id]) -> Result<Union<'a>, Unhandled> {
        let Some((first, rest)) = term.split_first() else {
            return Ok(Rc::new(vec![Rc::default()]));
        };
        let mut all = self.facts(*first)?;
        for id in rest {
            let facts = self.facts(*id)?;
            all = Rc::new(self.product(*id, &all, &facts)?);
        }
        Ok(all)
    }

    pub(super) fn product(
        &self,
        at: Id,
        a: &[Rc<Facts<'a>>],
        b: &[Rc<Facts<'a>>],
    ) -> Result<Vec<Rc<Facts<'a>>>, Unhandled> {
        let mut both = Vec::new();
        for a in a {
            both.extend(b.iter().filter_map(|b| a.and(b)).map(Rc::new));
            if both.len() > MOST_SHAPES {
                return self.stop(at, format!("a schema with more than {MOST_SHAPES} shapes"));
            }
        }
        Ok(both)
    }

    pub(super) fn facts(&mut self, id: Id) -> Result<Union<'a>, Unhandled> {
        if let Some(known) = self.facts.get(&id) {
            return Ok(Rc::clone(known));
        }
        if self.in_progress.contains(&id) {
            return self.stop(id, "a schema that is defined by nothing but itself");
        }
        self.in_progress.push(id);
        let facts = self.read(id);
        self.in_progress.pop();
        let facts = facts?;
        self.facts.insert(id, Rc::clone(&facts));
        Ok(facts)
    }

    fn read(&mut self, id: Id) -> Result<Union<'a>, Unhandled> {
        let schema = match self.arena.value(id) {
            Value::Bool(true) => return Ok(Rc::new(vec![Rc::default()])),
            Value::Bool(false) => return Ok(Rc::default()),
            Value::Object(schema) => schema,
            _ => return self.stop(id, "something that is no schema"),
        };
        let mut referred = None;
        if let Some(target) = self.arena.target(id) {
            let target = match target {
                Ok(target) => target,
                Err(message) => return self.stop(id, message),
            };
            let facts = self.facts(target)?;
            if !self.arena.has_siblings(id) {
                return Ok(facts);
            }
            referred = Some(facts);
        }
        let own = Rc::new(self.own(id, schema)?);
        let mut all = match referred {
            Some(referred) => self.product(id, &referred, &[own])?,
            None if is_contradiction(own.kinds, own.literals.as_deref()) => Vec::new(),
            None => vec![own],
        };
        for child in self.arena.children(id, "allOf") {
            let facts = self.facts(child)?;
            all = self.product(id, &all, &facts)?;
        }
        for keyword in ["anyOf", "oneOf"] {
            if schema.contains_key(keyword) {
                let union = self.union(id, keyword)?;
                all = self.product(id, &all, &union)?;
            }
        }
        if let Some(rest) = self.arena.child(id, "unevaluatedProperties") {
            for facts in &mut all {
                Rc::make_mut(facts).close_with(rest);
            }
        }
        Ok(Rc::new(all))
    }

    fn union(&mut self, id: Id, keyword: &str) -> Result<Vec<Rc<Facts<'a>>>, Unhandled> {
        let branches = self.arena.children(id, keyword);
        let mut all = Vec::new();
        for branch in &branches {
            let facts = self.facts(*branch)?;
            // In `oneOf`, a value is of no other branch.
            let mut others = Vec::new();
            for other in branches.iter().filter(|other| keyword == "oneOf" && *other != branch) {
                let others_facts = self.facts(*other)?;
                let both = self.product(id, &facts, &others_facts)?;
                if !self.are_empty(&both)? {
                    others.push(*other);
                }
            }
            all.extend(facts.iter().cloned().map(|mut facts| {
                if !others.is_empty() {
                    Rc::make_mut(&mut facts).not.extend(&others);
                }
                facts
            }));
        }
        Ok(all)
    }

    /// The keywords of one schema, without those that combine schemas.
    fn own(&mut self, id: Id, schema: &'a Map<String, Value>) -> Result<Facts<'a>, Unhandled> {
        let mut facts = Facts::default();
        let types: Option<Vec<&str>> = match schema.get("type") {
            Some(Value::String(name)) => Some(vec![name]),
            Some(Value::Array(names)) => Some(names.iter().filter_map(Value::as_str).collect()),
            _ => None,
        };
        if let Some(types) = &types {
            facts.kinds = types.iter().filter_map(|name| Kind::of_type(name)).collect();
            facts.number.integer = types.contains(&"integer") && !types.contains(&"number");
        }
        if let Some(constant) = schema.get("const") {
            facts.literals = Some(vec![constant]);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let earlier = facts.literals.take();
            let among = |value: &&Value| {
                earlier.as_ref().is_none_or(|earlier| earlier.iter().any(|e| is_equal(e, value)))
            };
            facts.literals = Some(values.iter().filter(among).collect());
        }
        let format = schema.get("format").and_then(Value::as_str);
        let limit = |keyword| schema.get(keyword).and_then(whole);
        facts.number.range = range_of(schema);
        if let Some((min, max)) = format.and_then(bounds_of_format) {
            facts.number.range.at_least(Bound::new(Num::Integer(min), false));
            facts.number.range.at_most(Bound::new(Num::Integer(max), false));
        }
        facts.number.multiples.extend(schema.get("multipleOf").and_then(Num::of));
        facts.text.min = limit("minLength").unwrap_or(0);
        facts.text.max = limit("maxLength");
        let pattern = schema.get("pattern").and_then(Value::as_str);
        facts.text.patterns.extend(pattern);
        if let Some(format) = format.filter(|format| super::format::example(format).is_some()) {
            facts.text.formats.insert(format);
        }
        self.own_items(id, schema, &mut facts);
        self.own_properties(id, schema, types.as_deref(), &mut facts);
        facts.not.extend(self.arena.child(id, "not"));
        let pointer = self.arena.pointer(id);
        let decides = |keyword: &&&str| schema.contains_key(**keyword);
        let undecided = ["if", "contains", "dependentRequired", "dependentSchemas", "dependencies"];
        facts.unhandled.extend(undecided.iter().filter(decides).map(|keyword| Unhandled {
            pointer: pointer.to_owned(),
            what: format!("the keyword `{keyword}`"),
        }));
        if schema.contains_key("unevaluatedItems") {
            let what = "the keyword `unevaluatedItems`".to_owned();
            facts.unhandled.push(Unhandled { pointer: pointer.to_owned(), what });
        }
        Ok(facts)
    }

    fn own_items(&mut self, id: Id, schema: &Map<String, Value>, facts: &mut Facts<'a>) {
        let limit = |keyword| schema.get(keyword).and_then(whole);
        let (prefix, rest) = items(&mut self.arena, id);
        facts.arrays.push(Rc::new(ArrayLayer {
            prefix,
            rest,
            min: limit("minItems").unwrap_or(0),
            max: limit("maxItems"),
            unique: schema.get("uniqueItems") == Some(&Value::Bool(true)),
        }));
    }

    fn own_properties(
        &mut self,
        id: Id,
        schema: &'a Map<String, Value>,
        types: Option<&[&str]>,
        facts: &mut Facts<'a>,
    ) {
        const KEYWORDS: [&str; 7] = [
            "additionalProperties",
            "maxProperties",
            "minProperties",
            "patternProperties",
            "properties",
            "propertyNames",
            "required",
        ];
        let is_object = types.is_some_and(|types| types.contains(&"object"));
        if !is_object && !KEYWORDS.iter().any(|keyword| schema.contains_key(*keyword)) {
            return;
        }
        let limit = |keyword| schema.get(keyword).and_then(whole);
        facts.objects.push(Rc::new(ObjectLayer {
            properties: self.arena.map(id, "properties").into_iter().collect(),
            patterns: self.arena.map(id, "patternProperties"),
            additional: self.arena.child(id, "additionalProperties"),
            names: self.arena.child(id, "propertyNames"),
            required: required(schema).collect(),
            min: limit("minProperties").unwrap_or(0),
            max: limit("maxProperties"),
        }));
    }
}
