//! `registry!`.

mod expand;
mod membership;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;

/// The macro, from tokens to tokens.
pub(crate) fn declare(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    match parse::registry(input, &mut errors) {
        Some(declared) => {
            let registry = validate::registry(&declared, &mut errors);
            expand::registry(&registry, errors)
        }
        None => errors.into_compile_errors(),
    }
}
