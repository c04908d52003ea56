//! What an event must fulfil, from the attributes as written to what is generated.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Data, DeriveInput, Expr, Fields, LitStr, Member, Path, Type};

use super::parse::Attributes;
use super::serde::{Container, Property, unraw};
use crate::diagnostics::{Errors, did_you_mean, text};
use crate::literal::check_name;
use crate::options::{as_path, as_text};

/// An event without mistakes.
pub(super) struct Event<'a> {
    pub(super) ident: &'a Ident,
    pub(super) krate: Option<&'a Path>,
    pub(super) name: &'a LitStr,
    pub(super) version: u32,
    pub(super) retired: bool,
    pub(super) key: Option<Key>,
    pub(super) upcast: Option<&'a Type>,
}

/// Where the key comes from.
pub(super) enum Key {
    /// A field of the struct; the property of the payload that it becomes.
    Field { written: Expr, member: Member, property: Option<String> },
    /// A named field of every variant of the enum.
    EveryVariant { written: Expr, fields: Vec<(Ident, Ident)> },
    /// A field of a field: can be borrowed.
    Place(Expr),
    /// Any other expression on `self`.
    Computed(Expr),
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
    let name = check_event_name(input, attributes, errors);
    let version = check_version(input, attributes, errors);
    let owned = check_generics(input, errors);
    let container = Container::new(&input.attrs);
    let properties = all_properties(&input.data, &container);
    check_reserved(attributes, &properties, errors);
    if owned {
        check_owned(&properties, errors);
    }
    let key = match &attributes.key {
        Some(key) => Some(errors.take(check_key(input, &container, key))?),
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
    })
}

fn check_event_name<'a>(
    input: &DeriveInput,
    attributes: &'a Attributes,
    errors: &mut Errors,
) -> Option<&'a LitStr> {
    let Some(name) = &attributes.name else {
        if !attributes.names_itself && !attributes.incomplete {
            errors.at(
                &input.ident,
                "missing `name`: add `#[event(name = \"order.placed\")]` (names are permanent, so \
                 never taken from the type)",
            );
        }
        return None;
    };
    match check_name("event", &name.value()) {
        Ok(()) => Some(name),
        Err(message) => {
            errors.at(name, message);
            None
        }
    }
}

fn check_version(input: &DeriveInput, attributes: &Attributes, errors: &mut Errors) -> Option<u32> {
    let version = attributes.version.as_ref().map_or(1, |(version, _)| *version);
    match (&attributes.upcast, &attributes.no_upcast, version) {
        (_, _, 0) => {
            let written = attributes.version.as_ref().map(|(_, written)| written);
            errors.at(written, "versions start at 1");
            return None;
        }
        (Some(_), Some(no_upcast), _) => errors.at(
            no_upcast,
            "`no_upcast` contradicts `upcast`: the first says that older payloads cannot be read \
             as this version, the second how they are",
        ),
        (Some((option, _)), None, 1) | (None, Some(option), 1) => errors.at(
            option,
            format!("version 1 has no older version: remove `{option}`, or raise `version`"),
        ),
        (None, None, 2..) if !attributes.settles_upcast && !attributes.incomplete => {
            let older = format!("{}V{}", without_version(&input.ident), version - 1);
            let (_, written) = attributes.version.as_ref()?;
            errors.at(
                written,
                format!(
                    "version {version} needs a way from version {}: add `upcast(from = \
                         {older})` or `no_upcast`",
                    version - 1
                ),
            );
        }
        _ => {}
    }
    Some(version)
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

fn check_owned(properties: &[Property], errors: &mut Errors) {
    for property in properties.iter().filter(|property| property.read_by_type) {
        if let Some(reference) = reference_in(property.ty.to_token_stream()) {
            errors.at(
                reference,
                "events own their data: stored payloads outlive the request; hold `String` for \
                 `&str`, `Vec<T>` for `&[T]`",
            );
        }
    }
}

fn reference_in(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Punct(punct) if punct.as_char() == '&' => Some(TokenTree::Punct(punct)),
        TokenTree::Group(group) => reference_in(group.stream()),
        _ => None,
    })
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

fn check_key(input: &DeriveInput, container: &Container, key: &Expr) -> syn::Result<Key> {
    match (single_field(key), &input.data) {
        (Some(field), Data::Struct(data)) => struct_key(input, container, &data.fields, field, key),
        (Some(field), Data::Enum(data)) => enum_key(input, &data.variants, field, key),
        _ if mentions_self(key.to_token_stream()) => Ok(match is_place(key) {
            true => Key::Place(key.clone()),
            false => Key::Computed(key.clone()),
        }),
        _ => Err(syn::Error::new_spanned(key, not_a_key(key))),
    }
}

fn not_a_key(key: &Expr) -> String {
    let hint = match as_text(key) {
        Some(text) => format!("`key = {}`, without quotes", text.value()),
        None if as_path(key).is_none() && is_path_of_fields(key) => {
            format!("`key = self.{}`", text(key))
        }
        None => "`key = order_id` or `key = self.order.id`".to_owned(),
    };
    format!("a key is a field or an expression on `self`: write {hint}")
}

/// `field`, or `0` in a tuple struct.
fn single_field(key: &Expr) -> Option<Member> {
    match key {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(index), .. }) => {
            let index = index.base10_parse().ok()?;
            Some(Member::Unnamed(syn::Index { index, span: proc_macro2::Span::call_site() }))
        }
        _ => as_path(key)?
            .get_ident()
            .filter(|ident| *ident != "self")
            .map(|ident| Member::Named(ident.clone())),
    }
}

fn struct_key(
    input: &DeriveInput,
    container: &Container,
    fields: &Fields,
    wanted: Member,
    written: &Expr,
) -> syn::Result<Key> {
    let properties = container.struct_properties(fields);
    let shown = shown(&wanted);
    match properties.iter().find(|property| self::shown(&property.member) == shown) {
        Some(property) => Ok(Key::Field {
            written: written.clone(),
            member: property.member.clone(),
            property: property.wire.clone().filter(|_| container.plain && property.plain),
        }),
        None => {
            let names: Vec<String> =
                properties.iter().map(|property| self::shown(&property.member)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let hint = did_you_mean(&shown, "fields", &names);
            let message = format!("no field `{shown}` on `{}`{hint}", input.ident);
            Err(syn::Error::new_spanned(written, message))
        }
    }
}

fn shown(member: &Member) -> String {
    match member {
        Member::Named(ident) => unraw(ident),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

type Variants = syn::punctuated::Punctuated<syn::Variant, syn::Token![,]>;

fn enum_key(
    input: &DeriveInput,
    variants: &Variants,
    wanted: Member,
    written: &Expr,
) -> syn::Result<Key> {
    let wanted = shown(&wanted);
    let field_of = |variant: &syn::Variant| {
        variant.fields.iter().filter_map(|field| field.ident.clone()).find(|f| unraw(f) == wanted)
    };
    let mut fields = Vec::new();
    let mut without = None;
    for variant in variants {
        match field_of(variant) {
            Some(field) => fields.push((variant.ident.clone(), field)),
            None => without = without.or(Some(&variant.ident)),
        }
    }
    let message = match without {
        None if !fields.is_empty() => {
            return Ok(Key::EveryVariant { written: written.clone(), fields });
        }
        Some(variant) if !fields.is_empty() => format!(
            "variant `{variant}` of `{}` has no field `{wanted}`: add it, or write an expression \
             such as `key = self.{wanted}()`",
            input.ident
        ),
        _ => {
            let names: Vec<String> = variants
                .iter()
                .flat_map(|variant| &variant.fields)
                .filter_map(|field| field.ident.as_ref().map(unraw))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let hint = did_you_mean(&wanted, "fields", &names);
            format!("no field `{wanted}` on the variants of `{}`{hint}", input.ident)
        }
    };
    Err(syn::Error::new_spanned(written, message))
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == "self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        _ => false,
    })
}

/// `self.a.b`.
fn is_place(key: &Expr) -> bool {
    match key {
        Expr::Field(field) => is_place(&field.base),
        _ => as_path(key).is_some_and(|path| path.is_ident("self")),
    }
}

/// `a.b`.
fn is_path_of_fields(key: &Expr) -> bool {
    match key {
        Expr::Field(field) => is_path_of_fields(&field.base),
        _ => as_path(key).is_some_and(|path| path.get_ident().is_some()),
    }
}
