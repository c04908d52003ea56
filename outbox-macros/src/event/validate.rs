//! What an event must fulfil, from the attributes as written to what is generated.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Data, DeriveInput, LitStr, Path, Type};

use super::index;
use super::key::{self, Key};
use super::parse::Attributes;
use super::serde::{Container, Property, unraw};
use crate::diagnostics::Errors;
use crate::name::Named;
use crate::version::Versioned;

/// An event without mistakes.
pub(super) struct Event<'a> {
    pub(super) ident: &'a Ident,
    pub(super) krate: Option<&'a Path>,
    pub(super) name: &'a LitStr,
    pub(super) version: u32,
    pub(super) retired: bool,
    pub(super) key: Option<Key>,
    pub(super) upcast: Option<&'a Type>,
    /// Properties of the payload.
    pub(super) indexes: Vec<String>,
}

/// Checks everything; `None` where an error stands in the way of the rest.
pub(super) fn event<'a>(
    input: &'a DeriveInput,
    attributes: &'a Attributes,
    errors: &mut Errors,
) -> Option<Event<'a>> {
    if let Data::Union(data) = &input.data {
        errors
            .at(data.union_token, "`Event` cannot be derived for unions: use a struct or an enum");
        return None;
    }
    let named = Named {
        what: "event",
        name: attributes.name.as_ref(),
        is_settled: attributes.names_itself || attributes.incomplete,
    };
    let how =
        "`#[event(name = \"order.placed\")]` (names are permanent, so never taken from the type)";
    let name = named.check(&input.ident, how, errors);
    let version = check_version(input, attributes, errors);
    let owned = check_generics(input, errors);
    let container = Container::new(&input.attrs);
    let properties = all_properties(&input.data, &container);
    check_reserved(attributes, &properties, errors);
    let indexes = index::check(input, &properties, &attributes.indexes, errors);
    for reference in references(&properties).filter(|_| owned) {
        errors.at(
            reference,
            "events own their data: stored payloads outlive the request; hold `String` for \
             `&str`, `Vec<T>` for `&[T]`",
        );
    }
    let key = match &attributes.key {
        Some(key) => Some(errors.take(key::check(input, &container, key))?),
        None => None,
    };
    Some(Event {
        ident: &input.ident,
        krate: attributes.krate.as_ref(),
        name: name?,
        version: version?,
        retired: attributes.retired,
        key,
        upcast: attributes.upcast.as_ref().map(|(_, source)| source),
        indexes,
    })
}

fn check_version(input: &DeriveInput, attributes: &Attributes, errors: &mut Errors) -> Option<u32> {
    let declared = Versioned {
        version: attributes.version.as_ref(),
        upcast: attributes.upcast.as_ref().map(|(option, _)| option),
        no_upcast: attributes.no_upcast.as_ref(),
        is_settled: attributes.settles_upcast || attributes.incomplete,
    };
    declared.check(&without_version(&input.ident), errors)
}

/// `OrderPlaced` of `OrderPlacedV3`.
fn without_version(ident: &Ident) -> String {
    let name = unraw(ident);
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match stem.strip_suffix('V') {
        Some(base) if !base.is_empty() && stem.len() < name.len() => base.to_owned(),
        _ => name,
    }
}

fn check_generics(input: &DeriveInput, errors: &mut Errors) -> bool {
    let generics = &input.generics;
    if generics.params.is_empty() {
        return true;
    }
    let message = if generics.lifetimes().next().is_some() {
        "events own their data: stored payloads outlive the request; remove the lifetime and hold \
         `String` for `&str`, `Vec<T>` for `&[T]`"
    } else {
        "events are not generic: a name and a version stand for one shape of payload; derive \
         `Event` for a struct of its own around each type"
    };
    errors.at(&generics.params, message);
    false
}

/// References in the types of fields that are deserialised as they are.
fn references(properties: &[Property]) -> impl Iterator<Item = TokenTree> {
    properties
        .iter()
        .filter(|property| property.read_by_type)
        .filter_map(|property| reference_in(property.ty.to_token_stream()))
}

fn reference_in(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Punct(punct) if punct.as_char() == '&' => Some(TokenTree::Punct(punct)),
        TokenTree::Group(group) => reference_in(group.stream()),
        _ => None,
    })
}

/// Whether the type can implement `Event` at all.
pub(super) fn can_be_event(input: &DeriveInput) -> bool {
    let properties = all_properties(&input.data, &Container::new(&input.attrs));
    !matches!(input.data, Data::Union(_))
        && input.generics.params.is_empty()
        && references(&properties).next().is_none()
}

fn all_properties(data: &Data, container: &Container) -> Vec<Property> {
    match data {
        Data::Struct(data) => container.struct_properties(&data.fields),
        Data::Enum(data) => {
            data.variants.iter().flat_map(|variant| container.variant_properties(variant)).collect()
        }
        Data::Union(_) => Vec::new(),
    }
}

fn check_reserved(attributes: &Attributes, properties: &[Property], errors: &mut Errors) {
    for reserved in &attributes.reserved {
        let name = reserved.value();
        for property in properties.iter().filter(|property| property.wire.as_ref() == Some(&name)) {
            errors.at(
                &property.ident,
                format!(
                    "`{name}` is reserved: older payloads use it for something else; pick a \
                         new name"
                ),
            );
        }
    }
}
