//! `#[emits]`.

mod arguments;
mod body;
mod event;
mod expand;
mod fields;
mod key;
mod output;
mod parse;
mod record;
mod types;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;
use crate::function;

const WHERE_IT_GOES: &str = "`#[emits]` goes on a free `async fn`; a method can call one, with what it \
                             needs of `self` as arguments";

/// The attribute, from tokens to tokens. The signature always comes out as it went in.
pub(crate) fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = errors.take(function::parse(&item, WHERE_IT_GOES)) else {
        let errors = errors.into_compile_errors();
        return quote::quote!(#errors #item);
    };
    let options = parse::options(options, &mut errors);
    let arguments = arguments::read(&function, &mut errors);
    let handler = validate::handler(&function, &options, &arguments, &mut errors);
    match handler {
        Some(handler) if errors.is_empty() => expand::handler(&handler),
        _ => expand::fallback(&function, &options, &arguments, errors),
    }
}
