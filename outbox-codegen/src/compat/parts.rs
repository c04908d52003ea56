//! Whether values of one shape are values of another shape of the same kind.

use serde_json::Value;

use super::engine::{Answer, Break, Engine, Reason, Step};
use super::format;
use super::number::Num;
use super::sample::{numbers, texts};
use super::shape::{ArrayShape, NumberShape, ObjectShape, Term, TextShape};

fn broken(reason: Reason, witnesses: impl IntoIterator<Item = Value>) -> Answer {
    let one = |witness| Break { path: Vec::new(), reason: reason.clone(), witness };
    Answer::Breaks(witnesses.into_iter().map(one).collect())
}

impl<'a> Engine<'a> {
    pub(super) fn number(&mut self, w: &NumberShape, r: &NumberShape) -> Answer {
        let ends = [r.range.min, r.range.max].into_iter().flatten().map(|bound| bound.at);
        let near: Vec<Num> = ends.collect();
        let values = || numbers(w, &near);
        if r.integer && !w.integer && !w.multiples.iter().any(|step| step.is_integer()) {
            return broken(Reason::Kind, values());
        }
        let (within, of) = match w.integer {
            true => (w.range.integers(), r.range.integers()),
            false => (w.range, r.range),
        };
        if !within.is_within(&of) {
            return broken(Reason::Bounds, values());
        }
        let is_multiple = |step: &Num| {
            w.multiples.iter().any(|own| own.is_multiple_of(*step) == Some(true))
                || (w.integer && *step == Num::Integer(1))
        };
        if !r.multiples.iter().all(is_multiple) {
            return broken(Reason::Multiple, values());
        }
        Answer::Holds
    }

    pub(super) fn text(&mut self, w: &TextShape<'_>, r: &TextShape<'_>) -> Answer {
        let shorter = r.max.is_none_or(|max| w.max.is_some_and(|own| own <= max));
        if w.min < r.min || !shorter {
            return broken(Reason::Bounds, texts(w, r));
        }
        if let Some(pattern) = r.patterns.iter().find(|pattern| !w.patterns.contains(*pattern)) {
            return broken(Reason::Pattern((*pattern).to_owned()), texts(w, r));
        }
        let has = |name: &&str| w.formats.iter().any(|own| format::implies(own, name));
        if let Some(name) = r.formats.iter().find(|name| !has(name)) {
            return broken(Reason::Format((*name).to_owned()), texts(w, r));
        }
        Answer::Holds
    }

    pub(super) fn items(&mut self, w: &ArrayShape, r: &ArrayShape) -> Answer {
        let mut answer = Answer::Holds;
        let longest = self.longest(w);
        let shorter = r.max.is_none_or(|max| longest.is_some_and(|own| own <= max));
        if w.min < r.min {
            answer = answer.and(broken(Reason::Bounds, self.array(w, w.min)));
        }
        if let (Some(max), false) = (r.max, shorter) {
            let too_long = self.array(w, w.min.max(max.saturating_add(1)));
            answer = answer.and(broken(Reason::Bounds, too_long));
        }
        if r.unique && !w.unique && longest.is_none_or(|longest| longest > 1) {
            let repeated = self.array(w, w.min.max(2));
            answer = answer.and(broken(Reason::Repeated, repeated));
        }
        let places = w.prefix.len().max(r.prefix.len());
        for index in 0..places {
            if longest.is_some_and(|longest| longest <= index as u64) {
                return answer;
            }
            let (own, others) = (item(w, index), item(r, index));
            let inner = self.includes(&own, &others);
            let wrapped =
                inner.within(&Step::Item(index), |value| self.array_with(w, index, value));
            answer = answer.and(wrapped);
        }
        if longest.is_none_or(|longest| longest > places as u64) {
            let inner = self.includes(&w.rest, &r.rest);
            let wrapped = inner.within(&Step::AnyItem, |value| self.array_with(w, places, value));
            answer = answer.and(wrapped);
        }
        answer
    }

    /// How many items there can be: no more than where the first impossible one would be.
    fn longest(&mut self, w: &ArrayShape) -> Option<u64> {
        let mut longest = w.max;
        let places = w.prefix.iter().chain([&w.rest]).enumerate();
        for (index, term) in places {
            if self.is_empty(term) == Ok(true) {
                longest = Some(longest.map_or(index as u64, |longest| longest.min(index as u64)));
                break;
            }
        }
        longest
    }

    pub(super) fn properties(&mut self, w: &ObjectShape<'a>, r: &ObjectShape<'a>) -> Answer {
        let mut answer = Answer::Holds;
        let mut names: Vec<&str> = w.properties.keys().copied().collect();
        names.extend(r.properties.keys().filter(|name| !w.properties.contains_key(*name)));
        for name in names {
            let (own, others) = (self.term_of(w, name), self.term_of(r, name));
            let required = w.properties.get(name).is_some_and(|property| property.required);
            if r.properties.get(name).is_some_and(|property| property.required) && !required {
                let without = self.object_with(w, &[]);
                answer = answer.and(broken(Reason::Missing(name.to_owned()), without));
            }
            if self.is_empty(&own) == Ok(true) {
                continue;
            }
            answer = answer.and(self.one_property(w, name, &own, &others));
        }
        answer.and(self.other_properties(w, r)).and(self.counts(w, r)).and(self.names(w, r))
    }

    fn one_property(
        &mut self,
        w: &ObjectShape<'a>,
        name: &str,
        own: &Term,
        others: &Term,
    ) -> Answer {
        if self.is_empty(others) == Ok(true) {
            let values = self.samples(own);
            let with: Vec<Value> = values
                .iter()
                .take(4)
                .cloned()
                .filter_map(|value| self.object_with(w, &[(name, value)]))
                .collect();
            return broken(Reason::Unexpected(name.to_owned()), with);
        }
        let inner = self.includes(own, others);
        let step = Step::Property(name.to_owned());
        inner.within(&step, |value| self.object_with(w, &[(name, value)]))
    }

    /// Those without a name of their own.
    fn other_properties(&mut self, w: &ObjectShape<'a>, r: &ObjectShape<'a>) -> Answer {
        let mut classes: Vec<(Option<&str>, Term)> =
            w.patterns.iter().map(|(pattern, term)| (Some(*pattern), term.clone())).collect();
        classes.push((None, w.rest.clone()));
        let mut answer = Answer::Holds;
        for (pattern, own) in classes {
            if self.is_empty(&own) == Ok(true) {
                continue;
            }
            let same = r.patterns.iter().find(|(other, _)| Some(*other) == pattern);
            let readers: Vec<(Option<&str>, Term)> = match same {
                Some((_, term)) if r.patterns.len() == 1 => vec![(pattern, term.clone())],
                _ => r
                    .patterns
                    .iter()
                    .map(|(other, term)| (Some(*other), term.clone()))
                    .chain([(None, r.rest.clone())])
                    .collect(),
            };
            for (other, others) in readers {
                let like = pattern.or(other);
                let name = self.new_name(&[w, r], like);
                let inner = match self.is_empty(&others) == Ok(true) {
                    true => {
                        let reason = Reason::Unexpected(name.clone().unwrap_or_default());
                        broken(reason, self.sample(&own))
                    }
                    false => self.includes(&own, &others),
                };
                let wrapped = inner.within(&Step::AnyProperty, |value| {
                    self.object_with(w, &[(name.as_deref()?, value)])
                });
                answer = answer.and(wrapped);
            }
        }
        answer
    }

    fn counts(&mut self, w: &ObjectShape<'a>, r: &ObjectShape<'a>) -> Answer {
        let required = w.properties.values().filter(|property| property.required).count() as u64;
        let mut answer = Answer::Holds;
        if r.min > w.min.max(required) {
            let smallest = self.object_with(w, &[]);
            answer = answer.and(broken(Reason::Bounds, smallest));
        }
        let Some(max) = r.max else { return answer };
        let is_closed = w.patterns.is_empty() && self.is_empty(&w.rest) == Ok(true);
        let known = is_closed.then_some(w.properties.len() as u64);
        let most = match (w.max, known) {
            (Some(max), Some(known)) => Some(max.min(known)),
            (max, known) => max.or(known),
        };
        if most.is_none_or(|most| most > max) {
            let larger = ObjectShape { min: w.min.max(max.saturating_add(1)), ..w.clone() };
            answer = answer.and(broken(Reason::Bounds, self.object_with(&larger, &[])));
        }
        answer
    }

    fn names(&mut self, w: &ObjectShape<'a>, r: &ObjectShape<'a>) -> Answer {
        let mut answer = Answer::Holds;
        for names in &r.names {
            let reader = vec![*names];
            for (name, property) in &w.properties {
                let text = Value::from(*name);
                match self.accepts_all(&reader, &text) {
                    Ok(true) => {}
                    Ok(false) => {
                        let value = self.sample(&property.term);
                        let with = value.and_then(|value| self.object_with(w, &[(name, value)]));
                        answer = answer.and(broken(Reason::Name, with));
                    }
                    Err(unhandled) => answer = answer.and(Answer::Unknown(vec![unhandled])),
                }
            }
            let is_closed = w.patterns.is_empty() && self.is_empty(&w.rest) == Ok(true);
            if is_closed || w.names.contains(names) {
                continue;
            }
            let own: Term = w.names.clone();
            let text = self.arena.synthetic(serde_json::json!({ "type": "string" }));
            let own = if own.is_empty() { vec![text] } else { own };
            let rest = w.rest.clone();
            let inner = match w.patterns.is_empty() {
                true => self.includes(&own, &reader),
                false => self.includes(&vec![text], &reader),
            };
            let wrapped = inner.within(&Step::AnyProperty, |name| {
                let value = self.sample(&rest)?;
                self.object_with(w, &[(name.as_str()?, value)])
            });
            answer = answer.and(wrapped);
        }
        answer
    }
}

fn item(array: &ArrayShape, index: usize) -> Term {
    array.prefix.get(index).unwrap_or(&array.rest).clone()
}
