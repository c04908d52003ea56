//! The macros at compile time: what must compile, and the error for each mistake.
//!
//! After a deliberate change of a message, `TRYBUILD=overwrite` writes the `.stderr` files anew;
//! read each of them as the user who made the mistake.

#[test]
fn legitimate_uses_compile_and_run() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn each_mistake_is_one_error_that_says_what_to_write() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}
