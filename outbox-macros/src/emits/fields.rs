//! The fields of generated structs, and the constants that know how they are written and read.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;

use super::arguments::{Binding, Captured};
use super::parse::{Options, Place};
use crate::paths::{at, mixed_at};

/// A field of a generated struct.
pub(super) struct Field {
    pub(super) ident: Ident,
    /// The constant that knows how it is written and read.
    pub(super) constant: Ident,
    pub(super) ty: TokenStream,
    pub(super) docs: String,
}

pub(super) fn field(name: &str, constant: &str, ty: TokenStream, docs: &str) -> Field {
    Field {
        ident: Ident::new(name, Span::call_site()),
        constant: Ident::new(constant, Span::mixed_site()),
        ty,
        docs: docs.to_owned(),
    }
}

/// The type of the field for a captured value.
pub(super) fn held(p: &TokenStream, binding: &Binding) -> TokenStream {
    match &binding.captured {
        Ok(Captured::Value(ty)) => quote!(#ty),
        Ok(Captured::Text) => quote!(#p::String),
        Ok(Captured::Slice(element)) => quote!(#p::Vec<#element>),
        // The checks have refused what has no such type.
        Err(_) => quote!(#p::UnknownEvent),
    }
}

/// How a field's value is captured.
#[derive(Clone, Copy)]
pub(super) enum Capture<'a> {
    Value(&'a TokenStream),
    Type(&'a Type),
    Text,
    Slice(&'a Type),
}

pub(super) fn captured_as(binding: &Binding) -> Capture<'_> {
    match &binding.captured {
        Ok(Captured::Value(ty)) => Capture::Type(ty),
        Ok(Captured::Slice(element)) => Capture::Slice(element),
        Ok(Captured::Text) | Err(_) => Capture::Text,
    }
}

pub(super) fn field_type(p: &TokenStream, capture: Capture<'_>) -> TokenStream {
    match capture {
        Capture::Value(ty) => quote!(#p::emits::Field<#ty>),
        Capture::Type(ty) => quote!(#p::emits::Field<#ty>),
        Capture::Text => quote!(#p::emits::Field<#p::String, str>),
        Capture::Slice(element) => quote!(#p::emits::Field<#p::Vec<#element>, [#element]>),
    }
}

/// The constant of a field. Here, and nowhere else, the field's type is bound by what it must
/// implement.
pub(super) fn constant(
    p: &TokenStream,
    constant: &str,
    name: &str,
    capture: Capture<'_>,
    skips: &[TokenStream],
) -> TokenStream {
    let constant = Ident::new(constant, Span::mixed_site());
    let ty = field_type(p, capture);
    let value = match capture {
        Capture::Value(ty) => {
            quote_spanned! {Span::mixed_site()=> #p::emits::value::<#ty>(#name) }
        }
        Capture::Type(ty) => {
            let p = at(p, mixed_at(ty));
            quote_spanned! {mixed_at(ty)=> #p::emits::value::<#ty>(#name) }
        }
        Capture::Text => quote_spanned! {Span::mixed_site()=> #p::emits::text(#name) },
        Capture::Slice(element) => {
            let p = at(p, mixed_at(element));
            quote_spanned! {mixed_at(element)=> #p::emits::slice::<#element>(#name) }
        }
    };
    let skipping = (!skips.is_empty()).then(|| {
        quote_spanned! {Span::mixed_site()=>
            .skipping({
                fn skips() -> &'static #p::emits::Skips {
                    static SKIPS: #p::LazyLock<#p::emits::Skips> = #p::LazyLock::new(|| {
                        #p::emits::Skips::new(#p::Vec::from([#(#skips),*]))
                    });
                    &SKIPS
                }
                skips
            })
        }
    });
    quote_spanned! {Span::mixed_site()=> const #constant: #ty = #value #skipping; }
}

/// What is left out of the field `input` or `output`, which has this type.
pub(super) fn skips(
    p: &TokenStream,
    options: &Options,
    root: &str,
    ty: &TokenStream,
) -> Vec<TokenStream> {
    let of_root = options.skips.iter().filter(|skip| skip.root == root);
    of_root.map(|skip| skipped(p, skip, ty)).collect()
}

fn skipped(p: &TokenStream, skip: &Place, ty: &TokenStream) -> TokenStream {
    let Place { written, root, path } = skip;
    let path = path.iter().map(|name| name.unraw().to_string());
    let p = at(p, mixed_at(written));
    quote_spanned! {mixed_at(written)=>
        #p::emits::skip::<#ty, _>(&[#(#path),*], |#root: &#ty| &#written)
    }
}
