//! The engine: whether every value that one schema writes is one that another schema reads.
//!
//! A "yes" is a proof by structure, and a "no" comes with a value that the writer's schema accepts
//! and the reader's does not, both evaluated keyword by keyword. Where there is neither, the answer is
//! what could not be decided, and where.
//!
//! Schemas are unions of shapes ([`super::shape`]), as in "Finding Data Compatibility Bugs with JSON
//! Subschema Checks" (Habib, Shinnar, Hirzel, Pradel; ISSTA 2021). Schemas that refer to themselves
//! are compared under the assumption that what is compared already holds: values are finite.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::{Value, json};

use super::accepts::{Patterns, Unhandled};
use super::arena::{Arena, Id, Unusable};
use super::facts::Union;
use super::shape::{Alternative, Shape, Term};
use super::store::Store;

/// What the engine remembers.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    pub(crate) arena: Arena<'a>,
    pub(crate) patterns: Patterns,
    pub(crate) never: Id,
    pub(super) facts: HashMap<Id, Union<'a>>,
    pub(crate) in_progress: Vec<Id>,
    pub(crate) expanded: HashMap<(Term, bool), Rc<Vec<Alternative<'a>>>>,
    pub(crate) empty: HashMap<Term, bool>,
    pub(crate) sampled: HashMap<Term, Rc<Vec<Value>>>,
    proven: HashSet<Question>,
    assumed: Vec<Question>,
    /// Whether the objects of who writes have no properties but those that it declares.
    closed: bool,
    /// The outermost assumption that was used since this was last set.
    outermost: usize,
}

/// Whether everything of one term is of another; whether the one's objects are closed.
type Question = (Term, Term, bool);

/// Whether what is written can be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// All of it.
    Holds,
    /// Not these.
    Breaks(Vec<Break>),
    /// It is not known.
    Unknown(Vec<Unhandled>),
}

/// A value that is written and not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Break {
    /// Where in the value.
    pub path: Vec<Step>,
    /// What is wrong with it.
    pub reason: Reason,
    /// The whole value.
    pub witness: Value,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A property.
    Property(String),
    /// Any property that has no name of its own.
    AnyProperty,
    /// An item.
    Item(usize),
    /// Any item.
    AnyItem,
}

/// Why a value is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A property that is required may be absent.
    Missing(String),
    /// A property that is refused may be present.
    Unexpected(String),
    /// Another kind of value.
    Kind,
    /// A value that is none of those that are read.
    Value,
    /// A number, a length or a count beyond the bounds.
    Bounds,
    /// A text that need not have the pattern.
    Pattern(String),
    /// A text that need not have the format.
    Format(String),
    /// A number that need not be a multiple.
    Multiple,
    /// Items that may be repeated.
    Repeated,
    /// A name of a property that is refused.
    Name,
    /// Something that is explicitly excluded, or that is read in two ways.
    Excluded,
}

/// The most breaks that are followed at one place.
const MOST: usize = 16;

impl<'a> Engine<'a> {
    /// An engine for schemas that stay where they are; what it makes itself is kept in the store.
    pub(crate) fn new(store: &'a Store) -> Self {
        let mut arena = Arena::new(store);
        let never = arena.synthetic(json!(false));
        Self {
            arena,
            patterns: Patterns::default(),
            never,
            facts: HashMap::new(),
            in_progress: Vec::new(),
            expanded: HashMap::new(),
            empty: HashMap::new(),
            sampled: HashMap::new(),
            proven: HashSet::new(),
            assumed: Vec::new(),
            closed: true,
            outermost: usize::MAX,
        }
    }

    /// Adds a schema.
    pub(crate) fn add(&mut self, schema: &'a Value) -> Result<Id, Vec<Unusable>> {
        self.arena.add(schema)
    }

    /// Whether everything that is written after the one schema can be read after the other.
    pub(crate) fn compare(&mut self, writer: Id, reader: Id) -> Answer {
        match self.includes(&vec![writer], &vec![reader]) {
            Answer::Breaks(mut breaks) => {
                // The outermost first: what is inside of it may be the same once more.
                breaks.sort_by_key(|one| one.path.len());
                Answer::Breaks(breaks)
            }
            Answer::Unknown(mut places) => {
                // Each shape may have met the same.
                let mut told = HashSet::new();
                places.retain(|place| told.insert((place.pointer.clone(), place.what.clone())));
                Answer::Unknown(places)
            }
            Answer::Holds => Answer::Holds,
        }
    }

    pub(super) fn includes(&mut self, w: &Term, r: &Term) -> Answer {
        // (A writer's objects are closed, which only leaves out values.)
        let mut is_written =
            |reader: &Id| w.iter().any(|writer| self.arena.is_same(*writer, *reader));
        if r.iter().all(&mut is_written) {
            return Answer::Holds;
        }
        let question = (w.clone(), r.clone(), self.closed);
        if self.proven.contains(&question) {
            return Answer::Holds;
        }
        if let Some(place) = self.assumed.iter().position(|assumed| *assumed == question) {
            self.outermost = self.outermost.min(place);
            return Answer::Holds;
        }
        let before = std::mem::replace(&mut self.outermost, usize::MAX);
        let place = self.assumed.len();
        self.assumed.push(question.clone());
        let answer = self.compare_shapes(w, r);
        self.assumed.pop();
        let rests_on_outer = self.outermost < place;
        self.outermost = if rests_on_outer { self.outermost.min(before) } else { before };
        match answer {
            Answer::Holds => {
                if !rests_on_outer {
                    self.proven.insert(question);
                }
                Answer::Holds
            }
            Answer::Breaks(breaks) => self.confirmed(w, r, breaks),
            unknown => unknown,
        }
    }

    /// Only breaks whose values show it.
    fn confirmed(&mut self, w: &Term, r: &Term, breaks: Vec<Break>) -> Answer {
        let mut confirmed: Vec<Break> = Vec::new();
        let mut places = Vec::new();
        for candidate in breaks {
            let known = confirmed
                .iter()
                .any(|other| other.path == candidate.path && other.reason == candidate.reason);
            if known || confirmed.len() >= MOST {
                continue;
            }
            let value = &candidate.witness;
            match (self.accepts_all(w, value), self.accepts_all(r, value)) {
                (Ok(true), Ok(false)) => confirmed.push(candidate),
                (Err(unhandled), _) | (_, Err(unhandled)) => places.push(unhandled),
                _ => {}
            }
        }
        match confirmed.is_empty() {
            false => Answer::Breaks(confirmed),
            true => {
                Answer::Unknown(if places.is_empty() { vec![self.undecided(r)] } else { places })
            }
        }
    }

    fn undecided(&self, r: &Term) -> Unhandled {
        let pointer = r.first().map_or("", |id| self.arena.pointer(*id));
        Unhandled {
            pointer: pointer.to_owned(),
            what: "neither a proof that everything is read, nor a value that is not".to_owned(),
        }
    }

    fn compare_shapes(&mut self, w: &Term, r: &Term) -> Answer {
        let (written, read) = match (self.expand(w, self.closed), self.expand(r, false)) {
            (Ok(written), Ok(read)) => (written, read),
            (Err(unhandled), _) | (_, Err(unhandled)) => return Answer::Unknown(vec![unhandled]),
        };
        let mut all = Answer::Holds;
        for alternative in written.iter() {
            let answer = self.is_read(alternative, &read, w, r, true);
            all = all.and(answer);
        }
        all
    }

    /// Whether one shape is read by one of the others.
    fn is_read(
        &mut self,
        written: &Alternative<'a>,
        read: &[Alternative<'a>],
        w: &Term,
        r: &Term,
        may_split: bool,
    ) -> Answer {
        if let Shape::Literal(value) = written.shape {
            return match self.accepts_all(r, value) {
                Ok(true) => Answer::Holds,
                Ok(false) => self.literal(value, read),
                Err(unhandled) => Answer::Unknown(vec![unhandled]),
            };
        }
        let (mut breaks, mut unknown, mut closest) = (Vec::new(), Vec::new(), usize::MAX);
        for candidate in read {
            match self.is_read_as(written, candidate) {
                Answer::Holds => return Answer::Holds,
                Answer::Breaks(found) => {
                    // The reader's shape with the least wrong comes first.
                    match found.len() < closest {
                        true => {
                            closest = found.len();
                            breaks.splice(0..0, found);
                        }
                        false => breaks.extend(found),
                    }
                }
                Answer::Unknown(places) => unknown.extend(places),
            }
        }
        if may_split && let Some(answer) = self.split(written, read, w, r) {
            return answer;
        }
        // What is wrong with each of the reader's shapes; else, that something is.
        let reason = if breaks.is_empty() { Reason::Kind } else { Reason::Value };
        if let Answer::Breaks(confirmed) = self.confirmed(w, r, breaks) {
            return Answer::Breaks(confirmed);
        }
        let values = self.samples_of(written).into_iter();
        let any = values.map(|witness| Break { path: Vec::new(), reason: reason.clone(), witness });
        match self.confirmed(w, r, any.collect()) {
            Answer::Unknown(places) => {
                unknown.extend(places);
                Answer::Unknown(unknown)
            }
            answer => answer,
        }
    }

    /// Why a literal is not read.
    fn literal(&mut self, value: &Value, read: &[Alternative<'a>]) -> Answer {
        let of_kind = read.iter().any(|candidate| match (&candidate.shape, value) {
            (Shape::Literal(read), value) => {
                std::mem::discriminant(*read) == std::mem::discriminant(value)
            }
            (Shape::Number(_), Value::Number(_))
            | (Shape::Text(_), Value::String(_))
            | (Shape::Array(_), Value::Array(_))
            | (Shape::Object(_), Value::Object(_)) => true,
            _ => false,
        });
        let reason = if of_kind { Reason::Value } else { Reason::Kind };
        Answer::Breaks(vec![Break { path: Vec::new(), reason, witness: value.clone() }])
    }

    fn is_read_as(&mut self, written: &Alternative<'a>, read: &Alternative<'a>) -> Answer {
        let mut answer = match (&written.shape, &read.shape) {
            (Shape::Number(w), Shape::Number(r)) => self.number(w, r),
            (Shape::Text(w), Shape::Text(r)) => self.text(w, r),
            (Shape::Array(w), Shape::Array(r)) => self.items(w, r),
            (Shape::Object(w), Shape::Object(r)) => self.properties(w, r),
            _ => return Answer::Unknown(Vec::new()),
        };
        if answer != Answer::Holds {
            return answer;
        }
        if !read.unhandled.is_empty() {
            return Answer::Unknown(read.unhandled.clone());
        }
        for not in read.not() {
            // What the writer excludes itself.
            if written.not().iter().any(|own| self.is_part(*not, *own)) {
                continue;
            }
            match self.excludes(written, *not) {
                Ok(true) => {}
                Ok(false) => {
                    let values = self.samples_of(written);
                    let both = self.samples(&super::shape::sorted([*not]));
                    let both = both.iter().cloned().chain(values);
                    let breaks = both.map(|witness| Break {
                        path: Vec::new(),
                        reason: Reason::Excluded,
                        witness,
                    });
                    answer = answer.and(Answer::Breaks(breaks.collect()));
                }
                Err(unhandled) => return Answer::Unknown(vec![unhandled]),
            }
        }
        answer
    }

    /// Whether every value of one schema is one of another, the objects being what they are. What is
    /// excluded is not looked into twice: what excludes itself would be proven by itself.
    fn is_part(&mut self, part: Id, whole: Id) -> bool {
        self.arena.is_same(part, whole)
            || std::mem::replace(&mut self.closed, false) && {
                let answer = self.includes(&vec![part], &vec![whole]);
                self.closed = true;
                answer == Answer::Holds
            }
    }

    /// One property at a time that can only have a few values: each of them may be read by another
    /// shape.
    fn split(
        &mut self,
        written: &Alternative<'a>,
        read: &[Alternative<'a>],
        w: &Term,
        r: &Term,
    ) -> Option<Answer> {
        let Shape::Object(object) = &written.shape else { return None };
        if read.len() < 2 {
            return None;
        }
        for (name, property) in object.properties.iter().filter(|(_, property)| property.required) {
            let values = self.few_values(&property.term)?;
            if values.len() < 2 {
                continue;
            }
            let mut all = Answer::Holds;
            for value in values {
                let constant = self.arena.synthetic(json!({ "const": value }));
                let mut object = object.clone();
                if let Some(property) = object.properties.get_mut(name) {
                    property.term.push(constant);
                }
                let one = Alternative { shape: Shape::Object(object), ..written.clone() };
                all = all.and(self.is_read(&one, read, w, r, false));
            }
            return Some(all);
        }
        None
    }

    fn few_values(&mut self, term: &Term) -> Option<Vec<&'a Value>> {
        let alternatives = self.expand(term, self.closed).ok()?;
        let values: Option<Vec<&Value>> = alternatives
            .iter()
            .map(|alternative| match &alternative.shape {
                Shape::Literal(value) => Some(*value),
                _ => None,
            })
            .collect();
        Some(values.filter(|values| values.len() <= 256).unwrap_or_default())
    }
}

impl Answer {
    /// Both: what breaks is more certain than what is not known, and that more than what holds.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Breaks(mut a), Self::Breaks(b)) => {
                a.extend(b);
                Self::Breaks(a)
            }
            (Self::Breaks(breaks), _) | (_, Self::Breaks(breaks)) => Self::Breaks(breaks),
            (Self::Unknown(mut a), Self::Unknown(b)) => {
                a.extend(b);
                Self::Unknown(a)
            }
            (Self::Unknown(places), _) | (_, Self::Unknown(places)) => Self::Unknown(places),
            (Self::Holds, Self::Holds) => Self::Holds,
        }
    }

    /// The same one step further out: `wrap` puts a part into a whole.
    pub(crate) fn within(self, step: &Step, mut wrap: impl FnMut(Value) -> Option<Value>) -> Self {
        match self {
            Self::Breaks(breaks) => {
                let mut wrapped = Vec::new();
                for Break { mut path, reason, witness } in breaks {
                    if let Some(witness) = wrap(witness) {
                        path.insert(0, step.clone());
                        wrapped.push(Break { path, reason, witness });
                    }
                }
                Self::Breaks(wrapped)
            }
            other => other,
        }
    }
}
