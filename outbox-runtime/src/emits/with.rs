//! Making an event of the user's own from references to what came in and what goes out.

macro_rules! withs {
    ($($function:ident $trait:ident ($($of:ident),*) $shape:literal;)+) => {$(
        /// Calls the `with` of a handler.
        #[allow(clippy::too_many_arguments, non_snake_case)]
        pub fn $function<E, $($of: ?Sized),*>(with: impl $trait<E, $($of),*>, $($of: &$of),*) -> E {
            with($($of),*)
        }

        /// What `with` may be. The bound on a trait of our own makes the message; that it is a
        /// function lets closures go without types.
        #[diagnostic::on_unimplemented(
            message = $shape,
            label = "not a function of what came in and what goes out"
        )]
        pub trait $trait<E, $($of: ?Sized),*>: FnOnce($(&$of),*) -> E {}

        #[diagnostic::do_not_recommend]
        impl<E, F: FnOnce($(&$of),*) -> E, $($of: ?Sized),*> $trait<E, $($of),*> for F {}
    )+};
}

withs! {
    with_0 With0 () "`with` must be `Fn() -> {E}`";
    with_1 With1 (A) "`with` must be `Fn(&{A}) -> {E}`";
    with_2 With2 (A, B) "`with` must be `Fn(&{A}, &{B}) -> {E}`";
    with_3 With3 (A, B, C) "`with` must be `Fn(&{A}, &{B}, &{C}) -> {E}`";
    with_4 With4 (A, B, C, D) "`with` must be `Fn(&{A}, &{B}, &{C}, &{D}) -> {E}`";
    with_5 With5 (A, B, C, D, G) "`with` must be `Fn(&{A}, &{B}, &{C}, &{D}, &{G}) -> {E}`";
    with_6 With6 (A, B, C, D, G, H)
        "`with` must be `Fn(&{A}, &{B}, &{C}, &{D}, &{G}, &{H}) -> {E}`";
    with_7 With7 (A, B, C, D, G, H, I)
        "`with` must be `Fn(&{A}, &{B}, &{C}, &{D}, &{G}, &{H}, &{I}) -> {E}`";
    with_8 With8 (A, B, C, D, G, H, I, J)
        "`with` must be `Fn(&{A}, &{B}, &{C}, &{D}, &{G}, &{H}, &{I}, &{J}) -> {E}`";
    with_9 With9 (A, B, C, D, G, H, I, J, K)
        "`with` must be `Fn(&{A}, &{B}, &{C}, &{D}, &{G}, &{H}, &{I}, &{J}, &{K}) -> {E}`";
}
