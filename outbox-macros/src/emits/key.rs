//! The key of a generated event: an expression on what came in and what goes out.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Expr;

use super::parse::{Options, place};
use crate::diagnostics::{Errors, text};
use crate::paths::{at, mixed_at};

/// Checks the key against what the event has.
pub(super) fn check(options: &Options, captured: &[&Ident], has_output: bool, errors: &mut Errors) {
    let Some(key) = &options.key else { return };
    let (input, output) = (root(key, "input"), root(key, "output"));
    match (&input, &output) {
        (None, None) => errors.at(key, not_a_key(key, captured)),
        (Some(input), _) if captured.is_empty() => {
            errors.at(input, "nothing of the input is captured: add `input(...)`");
        }
        (_, Some(output)) if !has_output => {
            errors.at(output, "the function returns nothing, so that there is no `output`");
        }
        _ => {}
    }
    let skipped = place(key).and_then(|(root, path)| {
        options.skips.iter().find(|skip| {
            skip.root == *root
                && skip.path.iter().zip(&path).all(|(skipped, name)| skipped == *name)
                && skip.path.len() <= path.len()
        })
    });
    if let Some(skip) = skipped {
        errors.at(
            key,
            format!("the key is left out of the event by `skip({})`", text(&skip.written)),
        );
    }
}

fn not_a_key(key: &Expr, captured: &[&Ident]) -> String {
    let first = root_of(key.to_token_stream(), |ident| captured.contains(&ident));
    let hint = match first {
        Some(first) if captured.len() == 1 => {
            let rest = text(key);
            let rest = rest.strip_prefix(&first.to_string()).unwrap_or("");
            format!("`key = input{rest}`")
        }
        Some(_) => format!("`key = input.{}`", text(key)),
        None => "`key = output.id`".to_owned(),
    };
    format!("a key is an expression on `input` and `output`: write {hint}")
}

/// `input` or `output` as the expression has it, with the hygiene of whoever wrote it.
fn root(key: &Expr, name: &str) -> Option<Ident> {
    let key = key.to_token_stream();
    root_of(key.clone(), |ident| ident == name).or_else(|| in_format(key, name))
}

/// `{input}` or `{output:?}` in a format string, which captures the variable of that name.
fn in_format(tokens: TokenStream, name: &str) -> Option<Ident> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let captured = [format!("{{{name}}}"), format!("{{{name}:")];
            let found = captured.iter().any(|captured| text.contains(captured));
            found.then(|| Ident::new(name, literal.span()))
        }
        TokenTree::Group(group) => in_format(group.stream(), name),
        _ => None,
    })
}

/// The first such name that is neither a field nor an item of a path.
fn root_of(tokens: TokenStream, wanted: impl Fn(&Ident) -> bool + Copy) -> Option<Ident> {
    let mut within = false;
    for tree in tokens {
        let found = match &tree {
            TokenTree::Ident(ident) if !within && wanted(ident) => Some(ident.clone()),
            TokenTree::Group(group) => root_of(group.stream(), wanted),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        within = matches!(&tree, TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ':'));
    }
    None
}

/// The method `key`. A place is borrowed, any other expression is computed.
pub(super) fn method(p: &TokenStream, key: &Expr) -> TokenStream {
    let this = Ident::new("self", Span::mixed_site());
    let to_key = at(p, mixed_at(key));
    let body = if place(key).is_some() {
        // Shown at the key, so that a key of the wrong type is an error there.
        let this = Ident::new("self", mixed_at(key));
        quote_spanned! {mixed_at(key)=> #to_key::EventKey::to_key(&#this.#key) }
    } else {
        let bind = ["input", "output"].map(|name| {
            let root = root(key, name)?;
            let field = Ident::new(name, Span::mixed_site());
            Some(quote_spanned! {Span::mixed_site()=> let #root = &#this.#field; })
        });
        let bind = bind.into_iter().flatten();
        let to_key = quote_spanned! {mixed_at(key)=> #to_key::EventKey::to_key(key) };
        quote_spanned! {Span::mixed_site()=>
            #(#bind)*
            let key = &(#key);
            #to_key.map(|key| #p::Cow::Owned(key.into_owned()))
        }
    };
    quote_spanned! {Span::mixed_site()=>
        fn key(&#this) -> #p::Option<#p::Cow<'_, str>> {
            #body
        }
    }
}
