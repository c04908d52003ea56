//! The implementation of `Event`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Expr};

use super::aliases::{self, Aliases};
use super::key::Key;
use super::parse::Attributes;
use super::validate::{Event, can_be_event};
use crate::declaration::declaration;
use crate::diagnostics::{Errors, text};
use crate::paths::{at, private_path, shown_at};
use crate::version::Reading;

/// The implementation for an event without mistakes.
pub(super) fn event(
    input: &DeriveInput,
    attributes: &Attributes,
    event: &Event<'_>,
) -> TokenStream {
    let Event { ident, name, version, retired, .. } = event;
    let p = private_path(event.krate);
    let (key_property, key) = match &event.key {
        Some(key) => (property(&p, key), key_method(&p, key)),
        None => (TokenStream::new(), TokenStream::new()),
    };
    let reading = Reading {
        version: *version,
        upcast: event.upcast,
        no_upcast: attributes.no_upcast.is_some(),
    };
    let details = details(&p, input, attributes, event, &reading);
    let upcast = reading.decode_older(&p);
    let emittable = (!retired).then(|| emittable(&p, ident));
    let check = reading.check(&p, name);
    quote! {
        #[automatically_derived]
        impl #p::Event for #ident {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            const RETIRED: bool = #retired;
            #key_property
            #details
            #key
            #upcast
        }
        #emittable
        #check
    }
}

fn emittable(p: &TokenStream, ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #p::Emittable for #ident {}
    }
}

/// What schemas, documents and the compatibility check want to know: only what differs from nothing.
fn details(
    p: &TokenStream,
    input: &DeriveInput,
    attributes: &Attributes,
    event: &Event<'_>,
    reading: &Reading<'_>,
) -> TokenStream {
    let declared = declaration(p, event.ident, &input.attrs);
    let ident = event.ident.to_string();
    let key =
        event.key.as_ref().and_then(expression).map(|key| quote!(key: #p::Option::Some(#key),));
    let reading = reading.details(p);
    let reserved = Some(&attributes.reserved)
        .filter(|reserved| !reserved.is_empty())
        .map(|reserved| quote!(reserved: &[#(#reserved),*],));
    let indexes = Some(&event.indexes)
        .filter(|indexes| !indexes.is_empty())
        .map(|indexes| quote!(indexes: &[#(#indexes),*],));
    let Aliases { aliases, other } = aliases::of(input);
    let aliases = Some(aliases).filter(|aliases| !aliases.is_empty()).map(|aliases| {
        let aliases = aliases.iter().map(|alias| alias.value(p));
        quote!(aliases: &[#(#aliases),*],)
    });
    let other = other.map(|variant| quote!(other: #p::Option::Some(#variant),));
    quote! {
        const DETAILS: #p::EventDetails = #p::EventDetails {
            declared: #declared,
            ident: #ident,
            #key
            #reading
            #reserved
            #indexes
            #aliases
            #other
            ..#p::EventDetails::NONE
        };
    }
}

/// The text of a key that is not a property as it is.
fn expression(key: &Key) -> Option<String> {
    match key {
        Key::Field { property: Some(_), .. } => None,
        Key::Field { written, .. } | Key::EveryVariant { written, .. } => Some(text(written)),
        Key::Place(expression) | Key::Computed(expression) => Some(text(expression)),
    }
}

fn property(p: &TokenStream, key: &Key) -> TokenStream {
    let Key::Field { property: Some(property), .. } = key else {
        return TokenStream::new();
    };
    quote! {
        const KEY_PROPERTY: #p::Option<&'static str> = #p::Option::Some(#property);
    }
}

fn key_method(p: &TokenStream, key: &Key) -> TokenStream {
    let to_key = |written: &Expr| {
        let p = at(p, shown_at(written));
        quote_spanned! {shown_at(written)=> #p::EventKey::to_key }
    };
    let (this, body) = match key {
        Key::Field { written, member, .. } => {
            let to_key = to_key(written);
            let body = quote_spanned! {shown_at(written)=> #to_key(&self.#member) };
            (self_at_call_site(), body)
        }
        Key::EveryVariant { written, fields } => {
            let (variants, fields): (Vec<_>, Vec<_>) = fields.iter().cloned().unzip();
            let to_key = to_key(written);
            let arm = quote_spanned! {shown_at(written)=> #to_key(key) };
            let body = quote! { match self { #(Self::#variants { #fields: key, .. } => #arm,)* } };
            (self_at_call_site(), body)
        }
        Key::Place(place) => {
            let to_key = to_key(place);
            (self_in(place), quote_spanned! {shown_at(place)=> #to_key(&#place) })
        }
        Key::Computed(expression) => {
            let borrowed = borrow(expression);
            let to_key = to_key(expression);
            let to_key = quote_spanned! {shown_at(expression)=> #to_key(key) };
            let body = quote! {
                let key = #borrowed;
                #to_key.map(|key| #p::Cow::Owned(key.into_owned()))
            };
            (self_in(expression), body)
        }
    };
    quote! {
        fn key(&#this) -> #p::Option<#p::Cow<'_, str>> {
            #body
        }
    }
}

/// `&expression`, with parentheses where they are needed: printing the syntax tree adds them.
fn borrow(expression: &Expr) -> Expr {
    Expr::Reference(syn::ExprReference {
        attrs: Vec::new(),
        and_token: syn::Token![&](Span::call_site()),
        mutability: None,
        expr: Box::new(expression.clone()),
    })
}

fn self_at_call_site() -> Ident {
    Ident::new("self", Span::call_site())
}

/// The `self` that the expression means: where a `macro_rules` macro wrote it, `self` of the
/// call site is another one.
fn self_in(expression: &Expr) -> Ident {
    fn find(tokens: TokenStream) -> Option<Ident> {
        tokens.into_iter().find_map(|tree| match tree {
            TokenTree::Ident(ident) if ident == "self" => Some(ident),
            TokenTree::Group(group) => find(group.stream()),
            _ => None,
        })
    }
    find(expression.to_token_stream()).unwrap_or_else(self_at_call_site)
}

/// The errors, and an implementation that spares the rest of the file errors about its absence.
/// Its empty name tells the checks of registries that this event is already reported.
pub(super) fn fallback(
    input: &DeriveInput,
    attributes: &Attributes,
    errors: Errors,
) -> TokenStream {
    let errors = errors.into_compile_errors();
    if !can_be_event(input) {
        return errors;
    }
    let p = private_path(attributes.krate.as_ref());
    let ident = &input.ident;
    let emittable = emittable(&p, ident);
    quote! {
        #errors
        #emittable
        #[automatically_derived]
        impl #p::Event for #ident {
            const NAME: &'static str = "";
            const VERSION: u32 = 1;
        }
    }
}
