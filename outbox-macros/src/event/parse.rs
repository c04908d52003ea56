//! What `#[event(...)]` says, as written.

use proc_macro2::TokenStream;
use syn::parse::{Parse, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Expr, Ident, LitStr, Meta, Path, Token, Type};

use crate::diagnostics::Errors;
use crate::options::{self, Entry, Known};

const KNOWN: &[Known] = &[
    ("name", "name = \"order.placed\""),
    ("version", "version = 2"),
    ("key", "key = order_id"),
    ("upcast", "upcast(from = OrderPlacedV1)"),
    ("no_upcast", "no_upcast"),
    ("retired", "retired"),
    ("reserved", "reserved(\"coupon\")"),
    ("index", "index(customer)"),
    ("crate", "crate = path::to::outbox_runtime"),
];

/// The options of an event.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) name: Option<LitStr>,
    /// Whether `name` was written, well or not.
    pub(super) names_itself: bool,
    pub(super) version: Option<(u32, Expr)>,
    pub(super) key: Option<Expr>,
    pub(super) upcast: Option<(Ident, Type)>,
    pub(super) no_upcast: Option<Ident>,
    /// Whether `upcast` or `no_upcast` was written, well or not.
    pub(super) settles_upcast: bool,
    pub(super) retired: bool,
    pub(super) reserved: Vec<LitStr>,
    pub(super) indexes: Vec<Ident>,
    pub(super) krate: Option<Path>,
    /// Whether an option was not understood, so that others may seem to be missing.
    pub(super) incomplete: bool,
}

/// Reads every `#[event(...)]` of the type.
pub(super) fn attributes(input: &DeriveInput, errors: &mut Errors) -> Attributes {
    let mut tokens = TokenStream::new();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("event")) {
        if let Some(list) = errors.take(arguments(attribute)) {
            tokens.extend(list);
            tokens.extend(quote::quote!(,));
        }
    }
    let mut attributes = Attributes::default();
    let entries = options::parse(tokens, KNOWN, errors);
    attributes.incomplete = !errors.is_empty();
    for entry in entries {
        let stored = store(&entry, &mut attributes);
        errors.take(stored);
    }
    attributes
}

fn arguments(attribute: &Attribute) -> syn::Result<TokenStream> {
    let list = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => return Ok(TokenStream::new()),
        Meta::NameValue(value) => {
            let message = "write `#[event(name = \"order.placed\")]`";
            return Err(syn::Error::new_spanned(value, message));
        }
    };
    // Attributes are joined by commas, so one that ends in a comma loses it here.
    let mut trees: Vec<_> = list.into_iter().collect();
    if matches!(trees.last(), Some(proc_macro2::TokenTree::Punct(last)) if last.as_char() == ',') {
        trees.pop();
    }
    Ok(trees.into_iter().collect())
}

fn store(entry: &Entry, attributes: &mut Attributes) -> syn::Result<()> {
    match entry.name.to_string().as_str() {
        "name" => {
            attributes.names_itself = true;
            attributes.name = Some(entry.text()?.clone());
        }
        "version" => attributes.version = Some((entry.number()?, entry.expression()?.clone())),
        "key" => attributes.key = Some(entry.expression()?.clone()),
        "upcast" => {
            attributes.settles_upcast = true;
            attributes.upcast = Some((entry.name.clone(), entry.source()?));
        }
        "no_upcast" => {
            attributes.settles_upcast = true;
            entry.flag()?;
            attributes.no_upcast = Some(entry.name.clone());
        }
        "retired" => {
            entry.flag()?;
            attributes.retired = true;
        }
        "reserved" => attributes.reserved = listed(entry)?,
        "index" => attributes.indexes = listed(entry)?,
        "crate" => attributes.krate = Some(entry.path()?.clone()),
        other => unreachable!("option {other} is known and not read"),
    }
    Ok(())
}

/// `"coupon", "voucher"`, or `customer, status`.
fn listed<T: Parse>(entry: &Entry) -> syn::Result<Vec<T>> {
    Punctuated::<T, Token![,]>::parse_terminated
        .parse2(entry.list()?)
        .map(|listed| listed.into_iter().collect())
        .map_err(|_| entry.misused())
}
