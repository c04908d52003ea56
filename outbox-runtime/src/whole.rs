//! Bounds that are reported as a whole.
//!
//! Where one implementation can apply, the compiler descends into its bounds and reports each that
//! does not hold: for an event without derives that is three errors of other crates' traits. Where
//! two could apply and neither does, it reports the trait itself, once, in our words. So such a trait
//! has a second implementation with the same bounds that can never apply. (`do_not_recommend` is not
//! enough: the type that an implementation names is still taken for known, and what depends on it is
//! reported as well.)
//!
//! ```ignore
//! impl<E: Bounds> Trait for E where Of<E>: Reported<As = Whole> { .. }
//! impl<E: Bounds> Trait for E where Of<E>: Reported<As = Parts> { .. }
//! ```

use std::marker::PhantomData;

/// What a bound is about.
#[derive(Debug)]
pub struct Of<T: ?Sized>(PhantomData<T>);

/// How a bound that does not hold is reported: always as a whole.
pub trait Reported {
    /// [`Whole`].
    type As;
}

/// As one error.
#[derive(Debug)]
pub enum Whole {}

/// As one error for each of its parts, which never happens.
#[derive(Debug)]
pub enum Parts {}

impl<T: ?Sized> Reported for Of<T> {
    type As = Whole;
}
