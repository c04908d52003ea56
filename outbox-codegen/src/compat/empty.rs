//! Whether a schema accepts anything at all.

use std::rc::Rc;

use super::accepts::Unhandled;
use super::arena::Id;
use super::engine::Engine;
use super::facts::Facts;
use super::kinds::Kind;
use super::shape::{Alternative, Shape, Term, array};

impl<'a> Engine<'a> {
    /// Whether no value can have any of these facts.
    pub(super) fn are_empty(&mut self, all: &[Rc<Facts<'a>>]) -> Result<bool, Unhandled> {
        for facts in all {
            if let Some(literals) = &facts.literals {
                // Whether they satisfy the rest is not looked at: then it only seems possible.
                if !literals.is_empty() {
                    let possible =
                        literals.iter().any(|literal| facts.kinds.has(Kind::of(literal)));
                    if possible {
                        return Ok(false);
                    }
                    continue;
                }
            }
            for kind in facts.kinds.iter() {
                let shape = match kind {
                    Kind::Number => Shape::Number(facts.number.clone()),
                    Kind::Text => Shape::Text(facts.text.clone()),
                    Kind::Array => Shape::Array(array(&facts.arrays)),
                    Kind::Object => Shape::Object(self.object(&facts.objects, false)),
                    Kind::Null | Kind::Boolean => return Ok(false),
                };
                if !self.is_empty_shape(&shape)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether a value of this shape cannot be of the schema at the same time.
    pub(crate) fn excludes(
        &mut self,
        alternative: &Alternative<'a>,
        id: Id,
    ) -> Result<bool, Unhandled> {
        let others = self.facts(id)?;
        let kind = match &alternative.shape {
            Shape::Literal(value) => {
                return Ok(!self.evaluate().accepts(id, value)?);
            }
            Shape::Number(_) => Kind::Number,
            Shape::Text(_) => Kind::Text,
            Shape::Array(_) => Kind::Array,
            Shape::Object(_) => Kind::Object,
        };
        let facts = Facts { kinds: [kind].into_iter().collect(), ..(*alternative.facts).clone() };
        let facts = Rc::new(facts);
        let both = self.product(id, &[facts], &others)?;
        let Shape::Object(written) = &alternative.shape else { return self.are_empty(&both) };
        // A property that is required is none that is never written.
        let mut possible = Vec::new();
        for facts in both {
            let mut never = false;
            for name in facts.objects.iter().flat_map(|layer| &layer.required) {
                let term = self.term_of(written, name);
                never = never || self.is_empty(&term)?;
            }
            if !never {
                possible.push(facts);
            }
        }
        self.are_empty(&possible)
    }

    /// Whether no value has this shape.
    pub(super) fn is_empty_shape(&mut self, shape: &Shape<'a>) -> Result<bool, Unhandled> {
        Ok(match shape {
            Shape::Literal(_) => false,
            Shape::Number(number) => {
                let range = if number.integer { number.range.integers() } else { number.range };
                range.is_empty()
            }
            Shape::Text(text) => text.max.is_some_and(|max| max < text.min),
            Shape::Array(array) => {
                let mut empty = array.max.is_some_and(|max| max < array.min);
                for (index, term) in array.prefix.iter().enumerate() {
                    empty = empty || ((index as u64) < array.min && self.is_empty(term)?);
                }
                empty || (array.min > array.prefix.len() as u64 && self.is_empty(&array.rest)?)
            }
            Shape::Object(object) => {
                let required = object.properties.values().filter(|p| p.required).count() as u64;
                let least = object.min.max(required);
                let mut empty = object.max.is_some_and(|max| max < least);
                if object.min > object.properties.len() as u64 && object.patterns.is_empty() {
                    empty = empty || self.is_empty(&object.rest)?;
                }
                for property in object.properties.values().filter(|property| property.required) {
                    empty = empty || self.is_empty(&property.term)?;
                }
                empty
            }
        })
    }

    /// Whether no value is accepted by all of these schemas. (One that is defined by itself is taken
    /// for possible while it is looked at.)
    pub(crate) fn is_empty(&mut self, term: &Term) -> Result<bool, Unhandled> {
        if let Some(known) = self.empty.get(term) {
            return Ok(*known);
        }
        self.empty.insert(term.clone(), false);
        let facts = self.facts_of_all(term);
        let empty = match facts {
            Ok(facts) => self.are_empty(&facts),
            Err(unhandled) => Err(unhandled),
        };
        match &empty {
            Ok(empty) => self.empty.insert(term.clone(), *empty),
            Err(_) => self.empty.remove(term),
        };
        empty
    }
}
