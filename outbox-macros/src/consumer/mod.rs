//! `#[consumer]`.

mod arguments;
mod expand;
mod function;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use self::function::Function;
use crate::diagnostics::Errors;

/// The attribute, from tokens to tokens. The item itself always comes out as it went in.
pub(crate) fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = errors.take(parse_function(&item)) else {
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

fn parse_function(item: &TokenStream) -> syn::Result<Function> {
    syn::parse2(item.clone()).map_err(|error| match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Fn(_)) => error,
        Ok(_) => not_a_function(item),
        Err(_) if is_in_a_trait(item) => not_a_function(item),
        Err(error) => error,
    })
}

fn is_in_a_trait(item: &TokenStream) -> bool {
    syn::parse2::<syn::TraitItemFn>(item.clone()).is_ok()
}

fn not_a_function(item: &TokenStream) -> syn::Error {
    let first = item.clone().into_iter().find(|tree| {
        !matches!(tree, proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Group(_))
    });
    syn::Error::new_spanned(first, "`#[consumer]` goes on a free `async fn`")
}
