//! `#[derive(Event)]`.

mod aliases;
mod expand;
mod index;
mod key;
mod naming;
mod parse;
mod serde;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;

/// The derive, from tokens to tokens.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: syn::DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let attributes = parse::attributes(&input, &mut errors);
    match validate::event(&input, &attributes, &mut errors) {
        Some(event) if errors.is_empty() => expand::event(&input, &attributes, &event),
        _ => expand::fallback(&input, &attributes, errors),
    }
}
