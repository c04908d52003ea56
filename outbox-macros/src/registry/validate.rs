//! What a registry must fulfil, as far as it can be told from paths.

use proc_macro2::TokenStream;
use syn::Path;
use syn::ext::IdentExt;

use super::parse::{Declared, Entry, List};
use crate::diagnostics::{Errors, text};

/// A registry whose entries are paths, each listed once.
pub(super) struct Registry<'a> {
    pub(super) declared: &'a Declared,
    pub(super) include: Vec<Path>,
    pub(super) events: Vec<Path>,
    pub(super) handlers: Vec<Path>,
    pub(super) consumers: Vec<Path>,
}

/// Takes the entries that are well-formed; the others become errors.
pub(super) fn registry<'a>(declared: &'a Declared, errors: &mut Errors) -> Registry<'a> {
    let mut include = paths(&declared.include, "include", "a registry", errors);
    include.retain(|path| !is_itself(declared, path, errors));
    let events = paths(&declared.events, "events", "an event's type", errors);
    let handlers = paths(&declared.handlers, "handlers", "an emitting handler's function", errors);
    let consumers = paths(&declared.consumers, "consumers", "a consumer's function", errors);
    let lists_nothing =
        [&include, &events, &handlers, &consumers].iter().all(|entries| entries.is_empty());
    if lists_nothing && errors.is_empty() {
        let ident = &declared.ident;
        errors.at(
            ident,
            format!(
                "registry `{ident}` lists nothing: add `events: [OrderPlaced]`, with every \
                     type that derives `Event`"
            ),
        );
    }
    Registry { declared, include, events, handlers, consumers }
}

fn is_itself(declared: &Declared, path: &Path, errors: &mut Errors) -> bool {
    let ident = &declared.ident;
    let itself = ident.unraw() == without_self(path);
    if itself {
        errors.at(
            path,
            format!(
                "registry `{ident}` includes itself: `include` is for the registries of other \
                     modules and crates"
            ),
        );
    }
    itself
}

fn paths(list: &List, field: &str, what: &str, errors: &mut Errors) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for entry in &list.entries {
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
        if paths.iter().any(|earlier| without_self(earlier) == without_self(&path)) {
            errors.at(&path, format!("`{}` is listed twice in `{field}`", text(&path)));
            continue;
        }
        paths.push(path);
    }
    paths
}

/// `receipt` of `self::receipt`.
fn without_self(path: &Path) -> String {
    let text = text(path);
    text.strip_prefix("self::").unwrap_or(&text).to_owned()
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
