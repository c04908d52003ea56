//! Schemas as unions: every value that a schema accepts has one of its shapes, and a shape has one
//! kind of value and children that are conjunctions of schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::accepts::{Evaluate, Unhandled};
use super::arena::Id;
use super::engine::Engine;
use super::facts::{ArrayLayer, Facts, ObjectLayer};
use super::kinds::Kind;
use super::number::{Num, Range};

/// Schemas that all accept: sorted, each once. None of them is every value.
pub(crate) type Term = Vec<Id>;

/// One way for a value to be accepted.
#[derive(Clone, Debug)]
pub(crate) struct Alternative<'a> {
    pub(crate) shape: Shape<'a>,
    /// Conditions that are not part of the shape.
    pub(crate) unhandled: Vec<Unhandled>,
    pub(super) facts: Rc<Facts<'a>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape<'a> {
    Literal(&'a Value),
    Number(NumberShape),
    Text(TextShape<'a>),
    Array(ArrayShape),
    Object(ObjectShape<'a>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NumberShape {
    pub(crate) integer: bool,
    pub(crate) range: Range,
    pub(crate) multiples: Vec<Num>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TextShape<'a> {
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    pub(crate) patterns: BTreeSet<&'a str>,
    pub(crate) formats: BTreeSet<&'a str>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ArrayShape {
    pub(crate) prefix: Vec<Term>,
    pub(crate) rest: Term,
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    pub(crate) unique: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ObjectShape<'a> {
    pub(crate) properties: BTreeMap<&'a str, Property>,
    pub(crate) patterns: Vec<(&'a str, Term)>,
    /// Of every other property.
    pub(crate) rest: Term,
    /// What the names of properties must be.
    pub(crate) names: Vec<Id>,
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) term: Term,
    pub(crate) required: bool,
}

impl TextShape<'_> {
    pub(super) fn and(&mut self, other: &Self) {
        self.min = self.min.max(other.min);
        self.max = least(self.max, other.max);
        self.patterns.extend(&other.patterns);
        self.formats.extend(&other.formats);
    }
}

pub(super) fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Alternative<'_> {
    /// What it must not be besides.
    pub(crate) fn not(&self) -> &[Id] {
        &self.facts.not
    }
}

impl<'a> Engine<'a> {
    /// The ways to be accepted by all of these schemas.
    pub(crate) fn expand(
        &mut self,
        term: &Term,
        closed: bool,
    ) -> Result<Rc<Vec<Alternative<'a>>>, Unhandled> {
        let key = (term.clone(), closed);
        if let Some(known) = self.expanded.get(&key) {
            return Ok(Rc::clone(known));
        }
        let facts = self.facts_of_all(term)?;
        let mut alternatives = Vec::new();
        for facts in facts.iter() {
            self.finish(term, facts, closed, &mut alternatives)?;
        }
        let alternatives = Rc::new(alternatives);
        self.expanded.insert(key, Rc::clone(&alternatives));
        Ok(alternatives)
    }

    /// The shapes of one conjunction of facts.
    fn finish(
        &mut self,
        term: &Term,
        facts: &Rc<Facts<'a>>,
        closed: bool,
        to: &mut Vec<Alternative<'a>>,
    ) -> Result<(), Unhandled> {
        let alternative =
            |shape, unhandled| Alternative { shape, unhandled, facts: Rc::clone(facts) };
        if let Some(literals) = &facts.literals {
            for literal in literals {
                if self.accepts_all(term, literal)? {
                    to.push(alternative(Shape::Literal(literal), Vec::new()));
                }
            }
            return Ok(());
        }
        for kind in facts.kinds.iter() {
            let mut unhandled = facts.unhandled.clone();
            let shape = match kind {
                Kind::Null => Shape::Literal(&Value::Null),
                Kind::Boolean => {
                    to.push(alternative(Shape::Literal(&Value::Bool(false)), Vec::new()));
                    Shape::Literal(&Value::Bool(true))
                }
                Kind::Number => Shape::Number(facts.number.clone()),
                Kind::Text => Shape::Text(facts.text.clone()),
                Kind::Array => Shape::Array(array(&facts.arrays)),
                Kind::Object => {
                    let object = self.object(&facts.objects, closed);
                    if object.patterns.len() > 1 {
                        unhandled.push(Unhandled {
                            pointer: self.arena.pointer(term[0]).to_owned(),
                            what: "several `patternProperties`".to_owned(),
                        });
                    }
                    Shape::Object(object)
                }
            };
            if !self.is_empty_shape(&shape)? {
                to.push(alternative(shape, unhandled));
            }
        }
        Ok(())
    }

    pub(super) fn object(
        &mut self,
        layers: &[Rc<ObjectLayer<'a>>],
        closed: bool,
    ) -> ObjectShape<'a> {
        let mut shape = ObjectShape::default();
        let names: BTreeSet<&'a str> = layers
            .iter()
            .flat_map(|layer| layer.properties.keys().chain(&layer.required).copied())
            .collect();
        for name in names {
            let property = Property {
                term: self.property(layers, name),
                required: layers.iter().any(|layer| layer.required.contains(name)),
            };
            shape.properties.insert(name, property);
        }
        let patterns: BTreeSet<&'a str> =
            layers.iter().flat_map(|layer| layer.patterns.iter().map(|(name, _)| *name)).collect();
        for pattern in patterns {
            let ids = layers.iter().filter_map(|layer| {
                let own = layer.patterns.iter().find(|(own, _)| *own == pattern);
                own.map(|(_, id)| *id).or(layer.additional)
            });
            shape.patterns.push((pattern, sorted(ids)));
        }
        let is_open = layers.is_empty() || layers.iter().any(|layer| layer.additional.is_some());
        shape.rest = match closed && !is_open {
            true => vec![self.never],
            false => sorted(layers.iter().filter_map(|layer| layer.additional)),
        };
        shape.names = layers.iter().filter_map(|layer| layer.names).collect();
        shape.min = layers.iter().map(|layer| layer.min).max().unwrap_or(0);
        shape.max = layers.iter().fold(None, |max, layer| least(max, layer.max));
        shape
    }

    fn property(&mut self, layers: &[Rc<ObjectLayer<'a>>], name: &str) -> Term {
        let mut ids = Vec::new();
        for layer in layers {
            let before = ids.len();
            ids.extend(layer.properties.get(name));
            for (pattern, id) in &layer.patterns {
                if self.patterns.has(pattern, name) {
                    ids.push(*id);
                }
            }
            if ids.len() == before {
                ids.extend(layer.additional);
            }
        }
        sorted(ids)
    }

    /// The schema of a property that an object of this shape may have.
    pub(crate) fn term_of(&mut self, object: &ObjectShape<'a>, name: &str) -> Term {
        if let Some(property) = object.properties.get(name) {
            return property.term.clone();
        }
        let matching: Vec<Term> = object
            .patterns
            .iter()
            .filter(|(pattern, _)| self.patterns.has(pattern, name))
            .map(|(_, term)| term.clone())
            .collect();
        match matching.is_empty() {
            true => object.rest.clone(),
            false => sorted(matching.into_iter().flatten()),
        }
    }

    /// Whether all of these schemas accept the value.
    pub(crate) fn accepts_all(&mut self, term: &Term, value: &Value) -> Result<bool, Unhandled> {
        for id in term {
            if !self.evaluate().accepts(*id, value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn evaluate(&mut self) -> Evaluate<'_, 'a> {
        Evaluate { arena: &mut self.arena, patterns: &mut self.patterns }
    }

    pub(crate) fn stop<T>(&self, id: Id, what: impl Into<String>) -> Result<T, Unhandled> {
        Err(Unhandled { pointer: self.arena.pointer(id).to_owned(), what: what.into() })
    }
}

pub(super) fn array(layers: &[Rc<ArrayLayer>]) -> ArrayShape {
    let length = layers.iter().map(|layer| layer.prefix.len()).max().unwrap_or(0);
    let prefix = (0..length).map(|index| {
        sorted(layers.iter().filter_map(|layer| layer.prefix.get(index).copied().or(layer.rest)))
    });
    ArrayShape {
        prefix: prefix.collect(),
        rest: sorted(layers.iter().filter_map(|layer| layer.rest)),
        min: layers.iter().map(|layer| layer.min).max().unwrap_or(0),
        max: layers.iter().fold(None, |max, layer| least(max, layer.max)),
        unique: layers.iter().any(|layer| layer.unique),
    }
}

/// A conjunction.
pub(crate) fn sorted(ids: impl IntoIterator<Item = Id>) -> Term {
    let mut term: Term = ids.into_iter().collect();
    term.sort_unstable();
    term.dedup();
    term
}
