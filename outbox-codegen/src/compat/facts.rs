//! What the keywords of schemas say together: an alternative of a schema, before it is a shape.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::accepts::{Unhandled, is_equal};
use super::arena::Id;
use super::engine::Engine;
use super::keywords::{items, range_of, required, whole};
use super::number::{Bound, Num, bounds_of_format};
use super::shape::{NumberShape, TextShape};

/// The most shapes that a schema may have.
const MOST_SHAPES: usize = 2_000;

/// What the keywords of several schemas say together.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(super) kinds: BTreeSet<&'static str>,
    pub(super) literals: Option<Vec<Value>>,
    pub(super) number: NumberShape,
    pub(super) text: TextShape,
    pub(super) arrays: Vec<ArrayLayer>,
    pub(super) objects: Vec<ObjectLayer>,
    pub(super) not: Vec<Id>,
    pub(super) unhandled: Vec<Unhandled>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ArrayLayer {
    pub(super) prefix: Vec<Id>,
    pub(super) rest: Option<Id>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    pub(super) unique: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ObjectLayer {
    pub(super) properties: BTreeMap<String, Id>,
    pub(super) patterns: Vec<(String, Id)>,
    pub(super) additional: Option<Id>,
    pub(super) names: Option<Id>,
    pub(super) required: BTreeSet<String>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

impl Default for Facts {
    fn default() -> Self {
        Self {
            kinds: KINDS.into(),
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

impl Facts {
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.kinds.retain(|kind| other.kinds.contains(kind));
        both.literals = match (&self.literals, &other.literals) {
            (Some(own), Some(others)) => Some(
                own.iter().filter(|one| others.iter().any(|b| is_equal(one, b))).cloned().collect(),
            ),
            (own, others) => own.clone().or_else(|| others.clone()),
        };
        both.number.integer |= other.number.integer;
        both.number.range.and(&other.number.range);
        both.number.multiples.extend(&other.number.multiples);
        both.text.and(&other.text);
        both.arrays.extend(other.arrays.iter().cloned());
        both.objects.extend(other.objects.iter().cloned());
        both.not.extend(&other.not);
        both.unhandled.extend(other.unhandled.iter().cloned());
        both
    }

    fn is_contradiction(&self) -> bool {
        self.kinds.is_empty() || self.literals.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Facts {
    /// Whether a literal has one of the kinds; the rest is not looked at.
    pub(super) fn may_be(&self, value: &Value) -> bool {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.kinds.contains(kind)
    }

    /// `unevaluatedProperties`: properties that nothing so far knows.
    fn close_with(&mut self, rest: Id) {
        if self.objects.iter().any(|layer| layer.additional.is_some()) {
            return;
        }
        let mut closing = ObjectLayer { additional: Some(rest), ..ObjectLayer::default() };
        for layer in &self.objects {
            closing.properties.extend(layer.properties.clone());
            closing.patterns.extend(layer.patterns.clone());
        }
        self.objects.push(closing);
    }
}

impl Engine {
    pub(super) fn facts_of_all(&mut self, term: &[Id]) -> Result<Vec<Facts>, Unhandled> {
        let mut all = vec![Facts::default()];
        for id in term {
            let facts = self.facts(*id)?;
            all = self.product(*id, &all, &facts)?;
        }
        Ok(all)
    }

    pub(super) fn product(
        &self,
        at: Id,
        a: &[Facts],
        b: &[Facts],
    ) -> Result<Vec<Facts>, Unhandled> {
        let mut both = Vec::new();
        for a in a {
            both.extend(b.iter().map(|b| a.and(b)).filter(|facts| !facts.is_contradiction()));
            if both.len() > MOST_SHAPES {
                return self.stop(at, format!("a schema with more than {MOST_SHAPES} shapes"));
            }
        }
        Ok(both)
    }

    pub(super) fn facts(&mut self, id: Id) -> Result<Rc<Vec<Facts>>, Unhandled> {
        if let Some(known) = self.facts.get(&id) {
            return Ok(Rc::clone(known));
        }
        if self.in_progress.contains(&id) {
            return self.stop(id, "a schema that is defined by nothing but itself");
        }
        self.in_progress.push(id);
        let facts = self.read(id);
        self.in_progress.pop();
        let facts = Rc::new(facts?);
        self.facts.insert(id, Rc::clone(&facts));
        Ok(facts)
    }

    fn read(&mut self, id: Id) -> Result<Vec<Facts>, Unhandled> {
        let schema = match self.arena.value(id).clone() {
            Value::Bool(true) => return Ok(vec![Facts::default()]),
            Value::Bool(false) => return Ok(Vec::new()),
            Value::Object(schema) => schema,
            _ => return self.stop(id, "something that is no schema"),
        };
        let mut all = vec![Facts::default()];
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = match self.arena.resolve(id, target) {
                Ok(target) => target,
                Err(message) => return self.stop(id, message),
            };
            all = self.facts(target)?.to_vec();
            if !self.arena.has_siblings(id) {
                return Ok(all);
            }
        }
        let own = self.own(id, &schema)?;
        all = self.product(id, &all, &[own])?;
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
        if schema.contains_key("unevaluatedProperties") {
            let rest = self.arena.child(id, &["unevaluatedProperties"]);
            for facts in &mut all {
                facts.close_with(rest);
            }
        }
        Ok(all)
    }

    fn union(&mut self, id: Id, keyword: &str) -> Result<Vec<Facts>, Unhandled> {
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
                facts.not.extend(&others);
                facts
            }));
        }
        Ok(all)
    }

    /// The keywords of one schema, without those that combine schemas.
    fn own(&mut self, id: Id, schema: &Map<String, Value>) -> Result<Facts, Unhandled> {
        let mut facts = Facts::default();
        let types: Option<Vec<&str>> = match schema.get("type") {
            Some(Value::String(name)) => Some(vec![name]),
            Some(Value::Array(names)) => Some(names.iter().filter_map(Value::as_str).collect()),
            _ => None,
        };
        if let Some(types) = &types {
            facts.kinds.retain(|kind| {
                types.contains(kind) || (*kind == "number" && types.contains(&"integer"))
            });
            facts.number.integer = types.contains(&"integer") && !types.contains(&"number");
        }
        if let Some(constant) = schema.get("const") {
            facts.literals = Some(vec![constant.clone()]);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let earlier = facts.literals.take();
            let among = |value: &Value| {
                earlier.as_ref().is_none_or(|earlier| earlier.iter().any(|e| is_equal(e, value)))
            };
            facts.literals = Some(values.iter().filter(|value| among(value)).cloned().collect());
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
        facts.text.patterns.extend(pattern.map(ToOwned::to_owned));
        if let Some(format) = format.filter(|format| super::format::example(format).is_some()) {
            facts.text.formats.insert(format.to_owned());
        }
        self.own_items(id, schema, &mut facts);
        self.own_properties(id, schema, types.as_deref(), &mut facts);
        if schema.contains_key("not") {
            let not = self.arena.child(id, &["not"]);
            facts.not.push(not);
        }
        let pointer = self.arena.pointer(id).to_owned();
        let decides = |keyword: &&&str| schema.contains_key(**keyword);
        let undecided = ["if", "contains", "dependentRequired", "dependentSchemas", "dependencies"];
        facts.unhandled.extend(undecided.iter().filter(decides).map(|keyword| Unhandled {
            pointer: pointer.clone(),
            what: format!("the keyword `{keyword}`"),
        }));
        if schema.contains_key("unevaluatedItems") {
            let what = "the keyword `unevaluatedItems`".to_owned();
            facts.unhandled.push(Unhandled { pointer, what });
        }
        Ok(facts)
    }

    fn own_items(&mut self, id: Id, schema: &Map<String, Value>, facts: &mut Facts) {
        let limit = |keyword| schema.get(keyword).and_then(whole);
        let (prefix, rest) = items(&mut self.arena, id);
        facts.arrays.push(ArrayLayer {
            prefix,
            rest,
            min: limit("minItems").unwrap_or(0),
            max: limit("maxItems"),
            unique: schema.get("uniqueItems") == Some(&Value::Bool(true)),
        });
    }

    fn own_properties(
        &mut self,
        id: Id,
        schema: &Map<String, Value>,
        types: Option<&[&str]>,
        facts: &mut Facts,
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
        let has = |keyword| schema.contains_key(keyword);
        facts.objects.push(ObjectLayer {
            properties: self.arena.map(id, "properties").into_iter().collect(),
            patterns: self.arena.map(id, "patternProperties"),
            additional: has("additionalProperties")
                .then(|| self.arena.child(id, &["additionalProperties"])),
            names: has("propertyNames").then(|| self.arena.child(id, &["propertyNames"])),
            required: required(schema).into_iter().collect(),
            min: limit("minProperties").unwrap_or(0),
            max: limit("maxProperties"),
        });
    }
}
