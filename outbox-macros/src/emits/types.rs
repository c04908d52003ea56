//! What types say about values: which of them only wrap others, and which can be part of an event.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use crate::diagnostics::text;
use crate::types::{last_segment, parameters};

/// The types of web frameworks that hold what matters, and dereference to it.
const WRAPPERS: &[&str] = &["Json", "Form", "Path", "Query", "Extension", "State"];

/// `T` of `Json<T>`.
pub(super) fn wrapped(written: &Type) -> Option<&Type> {
    let last = last_segment(written)?;
    WRAPPERS.iter().any(|wrapper| last.ident == wrapper).then_some(())?;
    parameters(last).next()
}

/// Whether this is a pattern's name for such a wrapper.
pub(super) fn is_wrapper(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| WRAPPERS.iter().any(|wrapper| last.ident == wrapper))
}

/// Says why a type cannot be that of an event's field.
pub(super) fn check_owned(written: &Type, parameters: &[String]) -> Result<(), String> {
    let shown = text(written);
    match first_obstacle(written.to_token_stream(), parameters) {
        None => Ok(()),
        Some(Obstacle::Hidden) => {
            Err(format!("`{shown}` hides its type, and an event needs one with a name"))
        }
        Some(Obstacle::Borrowed) => Err(format!(
            "`{shown}` is borrowed, and events own their data: take `String` for `&str`, `Vec<T>` \
             for `&[T]`"
        )),
        Some(Obstacle::Parameter(name)) if name == shown => Err(format!(
            "`{shown}` is a parameter of the function, and an event has one shape: take a type \
             that is none"
        )),
        Some(Obstacle::Parameter(name)) => Err(format!(
            "`{shown}` depends on `{name}`, a parameter of the function, and an event has one \
             shape: take a type that does not"
        )),
    }
}

enum Obstacle {
    Hidden,
    Borrowed,
    Parameter(String),
}

fn first_obstacle(tokens: TokenStream, parameters: &[String]) -> Option<Obstacle> {
    let mut after_colons = false;
    for tree in tokens {
        let found = match &tree {
            TokenTree::Ident(ident) if ident == "impl" || ident == "_" => Some(Obstacle::Hidden),
            TokenTree::Ident(ident) if !after_colons => {
                let name = ident.to_string();
                parameters.contains(&name).then_some(Obstacle::Parameter(name))
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => Some(Obstacle::Borrowed),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => Some(Obstacle::Borrowed),
            TokenTree::Group(group) => first_obstacle(group.stream(), parameters),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        after_colons = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ':');
    }
    None
}

/// The type with `_` for every `impl Trait` in it, so that it can be written in a body.
pub(super) fn without_impl_trait(written: &Type) -> TokenStream {
    fn erase(tokens: TokenStream) -> TokenStream {
        let mut erased = TokenStream::new();
        let mut trees = tokens.into_iter().peekable();
        while let Some(tree) = trees.next() {
            match tree {
                TokenTree::Ident(ident) if ident == "impl" => {
                    erased.extend([TokenTree::Ident(proc_macro2::Ident::new("_", ident.span()))]);
                    skip_type(&mut trees);
                }
                TokenTree::Group(group) => {
                    let mut inner =
                        proc_macro2::Group::new(group.delimiter(), erase(group.stream()));
                    inner.set_span(group.span());
                    erased.extend([TokenTree::Group(inner)]);
                }
                other => erased.extend([other]),
            }
        }
        erased
    }
    erase(written.to_token_stream())
}

/// Skips what follows `impl`, up to the comma or the `>` that ends it.
fn skip_type(trees: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    let (mut depth, mut after_dash) = (0_usize, false);
    while let Some(tree) = trees.peek() {
        let punct = match tree {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        match punct {
            ',' if depth == 0 => return,
            '>' if !after_dash && depth == 0 => return,
            '>' if !after_dash => depth -= 1,
            '<' => depth += 1,
            _ => {}
        }
        after_dash = punct == '-';
        trees.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn hidden_types_are_erased_wherever_they_are() {
        for (written, erased) in [
            (parse_quote!(impl IntoResponse), "_"),
            (parse_quote!(Result<impl IntoResponse + use<'a, T>, E>), "Result<_,E>"),
            (parse_quote!(Result<(u8, impl Fn(u8) -> Vec<u8>), impl Into<E>>), "Result<(u8,_),_>"),
            (parse_quote!(Result<Vec<u8>, E>), "Result<Vec<u8>,E>"),
        ] {
            let written: Type = written;
            assert_eq!(without_impl_trait(&written).to_string().replace(' ', ""), erased);
        }
    }

    #[test]
    fn what_cannot_be_part_of_an_event_is_told() {
        for (written, why) in [
            (parse_quote!(impl Into<String>), "hides"),
            (parse_quote!(Option<&str>), "borrowed"),
            (parse_quote!(Cow<'static, str>), "borrowed"),
            (parse_quote!(T), "a parameter"),
            (parse_quote!(Vec<T>), "depends on `T`"),
        ] {
            let written: Type = written;
            let message = check_owned(&written, &["T".to_owned()]).unwrap_err();
            assert!(message.contains(why), "{message}");
        }
        let fine: Type = parse_quote!(shop::T<[u8; 4]>);
        assert_eq!(check_owned(&fine, &["T".to_owned()]), Ok(()));
    }
}
