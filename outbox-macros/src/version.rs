//! The version of an event, and how older payloads are read.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, LitStr, Type};

use crate::diagnostics::Errors;
use crate::paths::{at, shown_at};

/// What an attribute says about the version of an event.
pub(crate) struct Versioned<'a> {
    pub(crate) version: Option<&'a (u32, Expr)>,
    pub(crate) upcast: Option<&'a Ident>,
    pub(crate) no_upcast: Option<&'a Ident>,
    /// Whether `upcast` or `no_upcast` was written, well or not, or may have been.
    pub(crate) is_settled: bool,
}

impl Versioned<'_> {
    /// The version of the event, whose type has this name without a version of its own.
    pub(crate) fn check(&self, name: &str, errors: &mut Errors) -> Option<u32> {
        let version = self.version.map_or(1, |(version, _)| *version);
        match (self.upcast, self.no_upcast, version) {
            (_, _, 0) => {
                errors.at(self.version.map(|(_, written)| written), "versions start at 1");
                return None;
            }
            (Some(_), Some(no_upcast), _) => errors.at(
                no_upcast,
                "`no_upcast` contradicts `upcast`: the first says that older payloads cannot be \
                 read as this version, the second how they are",
            ),
            (Some(option), None, 1) | (None, Some(option), 1) => errors.at(
                option,
                format!("version 1 has no older version: remove `{option}`, or raise `version`"),
            ),
            (None, None, 2..) if !self.is_settled => {
                let (_, written) = self.version?;
                let older = version - 1;
                errors.at(
                    written,
                    format!(
                        "version {version} needs a way from version {older}: add `upcast(from = \
                         {name}V{older})` or `no_upcast`"
                    ),
                );
            }
            _ => {}
        }
        Some(version)
    }
}

/// How an event reads older payloads.
pub(crate) struct Reading<'a> {
    pub(crate) version: u32,
    /// The version before, from which it is made.
    pub(crate) upcast: Option<&'a Type>,
    pub(crate) no_upcast: bool,
}

impl Reading<'_> {
    /// The method that reads an older payload.
    pub(crate) fn decode_older(&self, p: &TokenStream) -> Option<TokenStream> {
        let source = self.upcast?;
        let upcast = at(p, shown_at(source));
        let upcast = quote_spanned! {shown_at(source)=>
            #upcast::upcast::<#source, Self>(version, payload)
        };
        Some(quote! {
            fn decode_older(
                version: u32,
                payload: &#p::RawValue,
            ) -> #p::Result<Self, #p::DecodeError> {
                #upcast
            }
        })
    }

    /// The check that the version before is one, of the same event.
    pub(crate) fn check(&self, p: &TokenStream, name: &LitStr) -> Option<TokenStream> {
        let Self { version, upcast, .. } = self;
        let source = (*upcast)?;
        let p = at(p, shown_at(source));
        Some(quote_spanned! {shown_at(source)=>
            const _: () = {
                #[allow(unused_imports)]
                use #p::NoEntry as _;
                #p::check_upcast(#name, #version, #p::EntryOf::<#source>::ENTRY);
            };
        })
    }

    /// The fields of the runtime's `EventDetails`.
    pub(crate) fn details(&self, p: &TokenStream) -> TokenStream {
        let upcast_from = self.upcast.map(|_| {
            let older = self.version.saturating_sub(1);
            quote!(upcast_from: #p::Option::Some(#older),)
        });
        let no_upcast = self.no_upcast.then(|| quote!(no_upcast: true,));
        quote!(#upcast_from #no_upcast)
    }
}
