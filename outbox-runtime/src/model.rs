//! Models of the parts where everything depends on who comes first, explored exhaustively: every
//! order of steps of writers, workers, the clock and the network, within the bounds that a model
//! names. `cargo nextest run -p outbox-runtime model`, with `--no-capture` for the figures and the
//! counterexamples.
//!
//! * `store/postgres/model.rs`: reading the log in windows. Runs the product's own `WindowProgress`
//!   and `Tracker`.
//! * `ledger.rs`: leases, take-overs, and the ledger of checkpoints as the fence.
//! * `shards.rs`: changing the number of shards while workers run.
//!
//! Each is explored as it is, which must find nothing, and in variants that are broken on purpose,
//! each of which must be rejected with a counterexample: a model that accepts everything shows
//! nothing. Breadth first, so a counterexample is a shortest one.
//!
//! A process that is paused needs no step of its own: in some explored order it takes no step for
//! as long as anybody likes. Two questions are asked. Does any step do what must never happen? And
//! is there, from every state, still a way to the goal? The second finds what is lost for good, and
//! whoever is stuck. (That the way is taken, by workers who go on trying, is not asked.)
//!
//! Explored by the hundred lines below and not by a library: the models use private code, so
//! they live in this crate, whose tests would gain a web server and some dozen packages; and a
//! library that checks "eventually" along paths misses loops, where the question above is exact.

mod ledger;
mod shards;

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::rc::Rc;

/// What may happen, and what must not.
pub(crate) trait Model {
    type State: Clone + Eq + Hash + Debug;

    fn initial(&self) -> Self::State;

    /// Everything that may happen next.
    fn steps(&self, state: &Self::State, next: &mut Next<Self::State>);

    /// What happened in the last step although it must never happen.
    fn wrong(&self, state: &Self::State) -> Option<&'static str>;

    /// Whether all that is to be done is done.
    fn is_goal(&self, state: &Self::State) -> bool;
}

/// What is done, and the number of who does it or what it is done to.
pub(crate) type Step = (&'static str, usize);

/// The steps out of a state.
pub(crate) struct Next<S>(Vec<(Step, S)>);

impl<S: Clone> Next<S> {
    /// A step from this state to what `change` makes of it.
    pub(crate) fn step(&mut self, from: &S, step: Step, change: impl FnOnce(&mut S)) {
        let mut state = from.clone();
        change(&mut state);
        self.0.push((step, state));
    }

    /// Brings states that differ in nothing that matters to one form.
    pub(crate) fn each(&mut self, canonical: impl Fn(&mut S)) {
        self.0.iter_mut().for_each(|(_, state)| canonical(state));
    }
}

/// What was explored, and the first thing that was found.
#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    pub(crate) found: Option<Counterexample>,
}

#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) what: &'static str,
    pub(crate) steps: Vec<Step>,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7} states, {:8} steps", self.states, self.steps)?;
        let Some(found) = &self.found else { return write!(f, "; nothing found") };
        write!(f, "; after {:2} steps: {}", found.steps.len(), found.what)?;
        for (what, who) in &found.steps {
            write!(f, "\n        {what} ({who})")?;
        }
        Ok(())
    }
}

/// Goes through every state that can be reached, up to the first that is wrong.
pub(crate) fn explore<M: Model>(model: &M) -> Explored {
    const MOST_STATES: usize = 3_000_000;
    let mut search = Search { model, states: Vec::new(), known: HashMap::new(), from: Vec::new() };
    search.add(model.initial(), 0);
    let mut into: Vec<Vec<u32>> = Vec::new();
    let mut steps = 0;
    let mut at = 0;
    while at < search.states.len() {
        let state = Rc::clone(&search.states[at]);
        let mut next = Next(Vec::new());
        model.steps(&state, &mut next);
        steps += next.0.len();
        for (_, state) in next.0 {
            let wrong = model.wrong(&state);
            let to = search.add(state, at);
            if let Some(what) = wrong {
                return search.found(steps, Some((what, to)));
            }
            into.resize_with(search.states.len(), Vec::new);
            into[to].push(at as u32);
        }
        assert!(search.states.len() < MOST_STATES, "the model has no bounds");
        at += 1;
    }
    into.resize_with(search.states.len(), Vec::new);
    let lost = search.without_a_way_to_the_goal(&into);
    search.found(steps, lost.map(|at| ("from here there is no way to the goal", at)))
}

struct Search<'a, M: Model> {
    model: &'a M,
    states: Vec<Rc<M::State>>,
    known: HashMap<Rc<M::State>, usize>,
    /// The state from which each was reached first.
    from: Vec<usize>,
}

impl<M: Model> Search<'_, M> {
    fn add(&mut self, state: M::State, from: usize) -> usize {
        if let Some(known) = self.known.get(&state) {
            return *known;
        }
        let (state, number) = (Rc::new(state), self.states.len());
        self.states.push(Rc::clone(&state));
        self.known.insert(state, number);
        self.from.push(from);
        number
    }

    /// Backwards from all goals; the first state that is not met.
    fn without_a_way_to_the_goal(&self, into: &[Vec<u32>]) -> Option<usize> {
        let mut met: Vec<bool> =
            self.states.iter().map(|state| self.model.is_goal(state)).collect();
        let mut open: Vec<usize> = (0..met.len()).filter(|state| met[*state]).collect();
        assert!(!open.is_empty(), "no state is a goal");
        while let Some(state) = open.pop() {
            for from in &into[state] {
                let from = *from as usize;
                if !std::mem::replace(&mut met[from], true) {
                    open.push(from);
                }
            }
        }
        met.iter().position(|met| !met)
    }

    fn found(&self, steps: usize, found: Option<(&'static str, usize)>) -> Explored {
        let found = found.map(|(what, at)| Counterexample { what, steps: self.way_to(at) });
        Explored { states: self.states.len(), steps, found }
    }

    fn way_to(&self, mut at: usize) -> Vec<Step> {
        let mut way = Vec::new();
        while at != 0 {
            let mut next = Next(Vec::new());
            self.model.steps(&self.states[self.from[at]], &mut next);
            let step = next.0.iter().find(|(_, state)| *state == *self.states[at]);
            way.extend(step.map(|(step, _)| *step));
            at = self.from[at];
        }
        way.reverse();
        way
    }
}

/// Nothing may be found.
pub(crate) fn holds<M: Model>(name: &str, model: &M) {
    let explored = explore(model);
    println!("{name}: {explored}");
    assert!(explored.found.is_none(), "{name}: {explored}");
}

/// Something must be found, and it must be this.
pub(crate) fn is_rejected<M: Model>(name: &str, model: &M, because: &str) {
    let explored = explore(model);
    println!("{name}: {explored}");
    let what = explored.found.as_ref().map(|found| found.what);
    assert_eq!(what, Some(because), "{name}: {explored}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two who count to two by reading and then writing one more.
    struct Counting;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
    struct Counted {
        count: u8,
        read: [Option<u8>; 2],
        written: [bool; 2],
    }

    impl Model for Counting {
        type State = Counted;

        fn initial(&self) -> Counted {
            Counted::default()
        }

        fn steps(&self, state: &Counted, next: &mut Next<Counted>) {
            for who in 0..2 {
                match state.read[who] {
                    None => next.step(state, ("reads", who), |to| to.read[who] = Some(to.count)),
                    Some(read) if !state.written[who] => next.step(state, ("writes", who), |to| {
                        to.count = read + 1;
                        to.written[who] = true;
                    }),
                    Some(_) => {}
                }
            }
        }

        fn wrong(&self, state: &Counted) -> Option<&'static str> {
            (state.count > 2).then_some("counted too far")
        }

        fn is_goal(&self, state: &Counted) -> bool {
            state.count == 2
        }
    }

    #[test]
    fn model_the_shortest_way_to_a_lost_update_is_found() {
        let found = explore(&Counting).found.expect("the second read is too early");
        assert_eq!(found.what, "from here there is no way to the goal");
        assert_eq!(found.steps, [("reads", 0), ("reads", 1)]);
    }
}
