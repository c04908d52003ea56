//! Finding the output of a handler in what it returned.

use std::ops::Deref;

/// What a handler returns that holds its output, a `T`, among other things.
///
/// A `T` itself needs no implementation, nor does what dereferences to it (such as axum's
/// `Json<T>`), nor a tuple that ends in one of these. Implement this for responses of your own:
///
/// ```
/// use outbox_runtime::AsOutput;
///
/// /// An order, and what the client may do with it.
/// struct Reply<T> {
///     data: T,
///     links: Vec<String>,
/// }
///
/// impl<T> AsOutput<T> for Reply<T> {
///     fn as_output(&self) -> &T {
///         &self.data
///     }
/// }
/// ```
pub trait AsOutput<T> {
    /// The output.
    fn as_output(&self) -> &T;
}

/// The output of type `T` in what a handler returned.
pub fn output<T, Returned: Output<T, Way>, Way>(returned: &Returned) -> &T {
    returned.find()
}

/// How to a `T`; the way is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold the output `{T}`",
    label = "no `{T}` in here",
    note = "return `{T}`, `Json<{T}>` or a tuple that ends in one of them, or implement \
            `AsOutput<{T}>` for `{Self}`"
)]
pub trait Output<T, Way> {
    /// The output.
    fn find(&self) -> &T;
}

/// It is the output.
#[derive(Debug)]
pub enum Itself {}

/// It dereferences to the output.
#[derive(Debug)]
pub enum Dereferenced {}

/// It says where the output is.
#[derive(Debug)]
pub enum Said {}

/// It is a tuple, and the output is in its last element.
#[derive(Debug)]
pub struct Last<Way>(std::marker::PhantomData<fn() -> Way>);

#[diagnostic::do_not_recommend]
impl<T> Output<T, Itself> for T {
    fn find(&self) -> &T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, D: Deref<Target = T>> Output<T, Dereferenced> for D {
    fn find(&self) -> &T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, S: AsOutput<T>> Output<T, Said> for S {
    fn find(&self) -> &T {
        self.as_output()
    }
}

macro_rules! tuples {
    ($(($($other:ident),+))+) => {$(
        #[diagnostic::do_not_recommend]
        impl<T, Way, End: Output<T, Way>, $($other),+> Output<T, Last<Way>> for ($($other,)+ End) {
            #[allow(non_snake_case)]
            fn find(&self) -> &T {
                let ($($other,)+ end) = self;
                let _ = ($($other,)+);
                end.find()
            }
        }
    )+};
}

tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }

#[cfg(test)]
mod tests {
    use super::*;

    struct Reply(u8);

    impl AsOutput<u8> for Reply {
        fn as_output(&self) -> &u8 {
            &self.0
        }
    }

    #[test]
    fn the_output_is_found_in_whatever_holds_it() {
        assert_eq!(*output::<u8, _, _>(&7), 7);
        assert_eq!(*output::<u8, _, _>(&Box::new(7)), 7);
        assert_eq!(*output::<Box<u8>, _, _>(&Box::new(7)), Box::new(7));
        assert_eq!(*output::<u8, _, _>(&Reply(7)), 7);
        assert_eq!(*output::<u8, _, _>(&(201, "created", Box::new(7))), 7);
        assert_eq!(*output::<(u16, u8), _, _>(&(201, 7)), (201, 7));
    }
}
