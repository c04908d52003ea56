//! `#[consumer]`.

mod arguments;
mod expand;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;
use crate::function;

/// The attribute, from tokens to tokens. The item itself always comes out as it went in.
pub(crate) fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) =
        errors.take(function::parse(&item, "`#[consumer]` goes on a free `async fn`"))
    else {
        let errors = errors.into_compile_errors();
        return quote::quote!(#item #errors);
    };
    let options = parse::options(options, &mut errors);
    let arguments = arguments::read(&function, &mut errors);
    let consumer = validate::consumer(&function, &options, &arguments, &mut errors);
    let generated = match consumer {
        Some(consumer) if errors.is_empty() => expand::consumer(&consumer),
        _ => expand::fallback(&function, &options, &arguments, errors),
    };
    quote::quote!(#item #generated)
}
