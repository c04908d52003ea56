//! What a registry must fulfil, as far as it can be told from paths.

use proc_macro2::TokenStream;
use syn::Path;

use super::parse::{Declared, Entry, List};
use crate::diagnostics::{Errors, text};

/// A registry whose entries are paths, each listed once.
pub(super) struct Registry<'a> {
    pub(super) declared: &'a Declared,
    pub(super) events: Vec<Path>,
    pub(super) consumers: Vec<Path>,
}

/// Takes the entries that are well-formed; the others become errors.
pub(super) fn registry<'a>(declared: &'a Declared, errors: &mut Errors) -> Registry<'a> {
    let events = paths(declared.events.as_ref(), "events", "an event's type", errors);
    let consumers =
        paths(declared.consumers.as_ref(), "consumers", "a consumer's function", errors);
    if events.is_empty() && consumers.is_empty() && errors.is_empty() {
        let ident = &declared.ident;
        errors.at(
            ident,
            format!(
                "registry `{ident}` lists nothing: add `events: [OrderPlaced]`, with every \
                     type that derives `Event`"
            ),
        );
    }
    Registry { declared, events, consumers }
}

fn paths(list: Option<&List>, field: &str, what: &str, errors: &mut Errors) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for entry in list.iter().flat_map(|list| &list.entries) {
        let tokens = match entry {
            Entry::Tokens(tokens) => tokens,
            Entry::Missing(comma) => {
                errors.at(comma, format!("an entry of `{field}` is missing before this comma"));
                continue;
            }
        };
        let Ok(path) = syn::parse2::<Path>(tokens.clone()) else {
            errors.at(tokens, format!("not the path of {what}{}", hint(tokens)));
            continue;
        };
        if paths.iter().any(|earlier| text(earlier) == text(&path)) {
            errors.at(&path, format!("`{}` is listed twice in `{field}`", text(&path)));
            continue;
        }
        paths.push(path);
    }
    paths
}

/// The path that an entry begins with, such as `receipt` in `receipt()`.
fn hint(tokens: &TokenStream) -> String {
    use syn::parse::Parser;
    let beginning = |input: syn::parse::ParseStream<'_>| {
        let path: Path = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(path)
    };
    match beginning.parse2(tokens.clone()) {
        Ok(path) => format!(": write `{}`", text(&path)),
        Err(_) => String::new(),
    }
}
