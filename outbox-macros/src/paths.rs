//! Paths to the runtime, and where errors about what is generated are shown.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;

/// The path of the runtime's items for macros.
pub(crate) fn private_path(krate: Option<&syn::Path>) -> TokenStream {
    match krate {
        Some(path) => quote!(#path::private),
        None => quote!(::outbox_runtime::private),
    }
}

/// A span that shows these tokens, while names mean what they mean in the rest of the expansion.
pub(crate) fn shown_at(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
}

/// The same of the name that a path ends in: a span of several tokens would be that of the first.
pub(crate) fn shown_at_last(path: &syn::Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |last| shown_at(&last.ident))
}

/// The same, for local variables with the hygiene of `macro_rules`.
pub(crate) fn mixed_at(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::mixed_site())
}

/// The path shown at the span: an error about a call is shown from the first token of the path
/// that is called.
pub(crate) fn at(path: &TokenStream, span: Span) -> TokenStream {
    let respan = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            tree = TokenTree::Group(Group::new(group.delimiter(), at(&group.stream(), span)));
        }
        tree.set_span(span.resolved_at(tree.span()));
        tree
    };
    path.clone().into_iter().map(respan).collect()
}
