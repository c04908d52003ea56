//! The key of an event: which field or expression it is.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Data, DeriveInput, Expr, ExprLit, Fields, Index, Lit, Member};

use super::serde::{Container, unraw};
use crate::diagnostics::{did_you_mean, text};
use crate::options::{as_path, as_text};

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

/// What the key is, if it is one.
pub(super) fn check(input: &DeriveInput, container: &Container, key: &Expr) -> syn::Result<Key> {
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
        Expr::Lit(ExprLit { lit: Lit::Int(index), .. }) => {
            let index = index.base10_parse().ok()?;
            Some(Member::Unnamed(Index { index, span: Span::call_site() }))
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
