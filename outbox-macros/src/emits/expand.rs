//! Everything for an emitting handler: the function, its event, and what a registry lists.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;

use super::arguments::{Arguments, TxForm};
use super::parse::Options;
use super::validate::{Event, Handler};
use super::{body, event};
use crate::declaration::declaration;
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::paths::{at, mixed_at, private_path};

/// Everything for a handler without mistakes.
pub(super) fn handler(handler: &Handler<'_>) -> TokenStream {
    let p = private_path(handler.options.krate.as_ref());
    let function = body::function(&p, handler);
    let event = match &handler.event {
        Event::Generated { ident, name, version } => {
            event::generated(&p, handler, ident, name, *version)
        }
        Event::Own { .. } => check_own(&p, handler),
    };
    let marker = marker(handler.function);
    let implementation = implementation(&p, handler);
    quote!(#function #event #marker #implementation)
}

fn marker(function: &Function) -> TokenStream {
    let ident = &function.signature.ident;
    function.marker(&format!("The handler `{}`, for a registry.", ident.unraw()))
}

fn implementation(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let function = handler.function;
    let ident = &function.signature.ident;
    let name = ident.unraw().to_string();
    let declared = declaration(p, ident, &function.attributes);
    let (event, generated, generates) = match &handler.event {
        Event::Generated { ident, .. } => (quote!(#ident), quote!(#ident), true),
        Event::Own { event, .. } => (quote!(#event), quote!(()), false),
    };
    let span = match &handler.event {
        Event::Generated { .. } => Span::mixed_site(),
        Event::Own { event, .. } => mixed_at(event),
    };
    let event = quote_spanned! {span=> type Event = #event; };
    let commits = handler.tx.form != TxForm::Borrowed;
    let conditions = function.conditions();
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[automatically_derived]
        impl #p::EmittingHandler for #ident {
            #event
            type Generated = #generated;
            const NAME: &'static str = #name;
            const GENERATES: bool = #generates;
            const COMMITS: bool = #commits;
            const DECLARED: #p::Declaration = #declared;
        }
    }
}

/// What is known of the event where nothing needs it to be one.
pub(super) fn entry(p: &TokenStream, event: &impl ToTokens) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        {
            #[allow(unused_imports)]
            use #p::NoEntry as _;
            #p::EntryOf::<#event>::ENTRY
        }
    }
}

/// An event of the user's own may not be retired.
fn check_own(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let Event::Own { event, .. } = &handler.event else { return TokenStream::new() };
    let name = handler.function.signature.ident.unraw().to_string();
    let entry = entry(p, event);
    let p = at(p, mixed_at(event));
    let conditions = handler.function.conditions();
    quote_spanned! {mixed_at(event)=>
        #(#conditions)*
        const _: () = #p::check_not_retired(#name, #entry);
    }
}

/// The errors, the function with its body as it was, and what spares the rest of the file errors
/// about an absence. The event's empty name tells the checks of registries that it is reported.
pub(super) fn fallback(
    function: &Function,
    options: &Options,
    arguments: &Arguments,
    errors: Errors,
) -> TokenStream {
    let errors = errors.into_compile_errors();
    let p = private_path(options.krate.as_ref());
    if function.signature.receiver().is_some() {
        // In an `impl` there can be no struct.
        return quote!(#errors #function);
    }
    let item = body::fallback(&p, function, arguments.tx.as_ref());
    let marker = marker(function);
    let (ident, visibility) = (&function.signature.ident, &function.visibility);
    let name = ident.unraw().to_string();
    let event = event::ident(function);
    let conditions = function.conditions();
    let alias = options.event.is_none().then(|| {
        quote_spanned! {Span::mixed_site()=>
            #(#conditions)*
            #[allow(dead_code, unreachable_pub)]
            #visibility type #event = #p::UnknownEvent;
        }
    });
    quote_spanned! {Span::mixed_site()=>
        #errors
        #item
        #marker
        #alias
        #(#conditions)*
        #[automatically_derived]
        impl #p::EmittingHandler for #ident {
            type Event = #p::UnknownEvent;
            type Generated = ();
            const NAME: &'static str = #name;
            const GENERATES: bool = false;
            const COMMITS: bool = false;
        }
    }
}
