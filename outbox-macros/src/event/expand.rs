//! The implementation of `Event`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Expr};

use super::parse::Attributes;
use super::validate::{Event, Key};
use crate::diagnostics::Errors;
use crate::private_path;

/// The implementation for an event without mistakes.
pub(super) fn event(event: &Event<'_>) -> TokenStream {
    let Event {
        ident,
        name,
        version,
        retired,
        ..
    } = event;
    let p = private_path(event.krate);
    let (key_property, key) = match &event.key {
        Some(key) => (property(&p, key), key_method(&p, key)),
        None => (TokenStream::new(), TokenStream::new()),
    };
    let upcast = event.upcast.map(|source| {
        let convert = quote_spanned! {shown_at(source)=>
            <Self as ::core::convert::From<#source>>::from
        };
        quote! {
            fn decode_older(
                version: u32,
                payload: &#p::RawValue,
            ) -> ::core::result::Result<Self, #p::DecodeError> {
                <#source as #p::Event>::decode(version, payload).map(#convert)
            }
        }
    });
    let check = event.upcast.map(|source| {
        quote_spanned! {shown_at(source)=>
            const _: () = #p::check_upcast(#name, #version, #p::EventEntry::of::<#source>());
        }
    });
    quote! {
        #[automatically_derived]
        impl #p::Event for #ident {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            const RETIRED: bool = #retired;
            #key_property
            #key
            #upcast
        }
        #check
    }
}

fn property(p: &TokenStream, key: &Key) -> TokenStream {
    let Key::Field {
        property: Some(property),
        ..
    } = key
    else {
        return TokenStream::new();
    };
    quote! {
        const KEY_PROPERTY: #p::Option<&'static str> = #p::Option::Some(#property);
    }
}

fn key_method(p: &TokenStream, key: &Key) -> TokenStream {
    let (this, body) = match key {
        Key::Field {
            written, member, ..
        } => {
            let key = quote_spanned! {shown_at(written)=> #p::EventKey::to_key(&self.#member) };
            (self_at_call_site(), key)
        }
        Key::EveryVariant { written, fields } => {
            let (variants, fields): (Vec<_>, Vec<_>) = fields.iter().cloned().unzip();
            let arm = quote_spanned! {shown_at(written)=> #p::EventKey::to_key(key) };
            (
                self_at_call_site(),
                quote! { match self { #(Self::#variants { #fields: key, .. } => #arm,)* } },
            )
        }
        Key::Place(place) => (
            self_in(place),
            quote_spanned! {shown_at(place)=> #p::EventKey::to_key(&#place) },
        ),
        Key::Computed(expression) => {
            let borrowed = borrow(expression);
            let to_key = quote_spanned! {shown_at(expression)=> #p::EventKey::to_key(key) };
            (
                self_in(expression),
                quote! {
                    let key = #borrowed;
                    #to_key.map(|key| #p::Cow::Owned(key.into_owned()))
                },
            )
        }
    };
    quote! {
        fn key(&#this) -> #p::Option<#p::Cow<'_, str>> {
            #body
        }
    }
}

/// Errors point at these tokens; names mean what they mean in the rest of the expansion.
fn shown_at(tokens: impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
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
    if matches!(input.data, Data::Union(_)) || !input.generics.params.is_empty() {
        return errors;
    }
    let p = private_path(attributes.krate.as_ref());
    let ident = &input.ident;
    quote! {
        #errors
        #[automatically_derived]
        impl #p::Event for #ident {
            const NAME: &'static str = "";
            const VERSION: u32 = 1;
        }
    }
}
