//! The registry's struct, what it implements, and the checks in const evaluation.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;

use super::validate::Registry;
use crate::diagnostics::Errors;
use crate::paths::{at, private_path, shown_at};

/// The registry. After errors, it has the well-formed entries, counts every event as listed, and
/// runs no consumer: whatever uses it compiles.
pub(super) fn registry(registry: &Registry<'_>, errors: Errors) -> TokenStream {
    let declared = registry.declared;
    let p = private_path(declared.krate.as_ref());
    let (attributes, visibility, ident) =
        (&declared.attributes, &declared.visibility, &declared.ident);
    let value = value(&p, registry);
    let rest = if errors.is_empty() {
        let membership = membership(&p, registry);
        let consumers = consumers(&p, registry);
        let checks = checks(&p, registry);
        quote!(#membership #consumers #checks)
    } else {
        fallback(&p, registry)
    };
    let errors = errors.into_compile_errors();
    quote! {
        #errors
        #(#attributes)*
        #[::core::prelude::v1::derive(
            ::core::clone::Clone,
            ::core::marker::Copy,
            ::core::fmt::Debug,
            ::core::default::Default,
            ::core::cmp::PartialEq,
            ::core::cmp::Eq,
            ::core::hash::Hash
        )]
        #visibility struct #ident;
        const _: () = {
            #value
            #rest
        };
    }
}

fn membership(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let listed = registry.events.iter().map(|event| {
        let p = at(p, shown_at(event));
        quote_spanned! {shown_at(event)=>
            #[automatically_derived]
            impl #p::Registered<#event, #p::Own> for #ident {}
        }
    });
    quote!(#(#listed)*)
}

fn fallback(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let state = state(registry);
    quote! {
        #[automatically_derived]
        impl<__Event> #p::Registered<__Event, #p::Own> for #ident {}

        #[automatically_derived]
        impl<__Database: #p::Backend> #p::Consumers<__Database> for #ident {
            fn consumers(_: &#p::Arc<#state>) -> #p::Vec<#p::Bound<__Database>> {
                #p::Vec::new()
            }
        }
    }
}

/// The registry as a value. Every entry is named once as what it should be, so that one that is
/// not is one error.
fn value(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let name = ident.unraw().to_string();
    let state = state(registry);
    let state = quote_spanned! {shown_at(&state)=> type State = #state; };
    let events = registry.events.iter().map(|event| {
        let p = at(p, shown_at(event));
        quote_spanned! {shown_at(event)=> <#event as #p::ListedEvent>::ENTRY }
    });
    let consumers = registry.consumers.iter().map(|consumer| {
        let p = at(p, shown_at(consumer));
        quote_spanned! {shown_at(consumer)=> <#consumer as #p::ListedConsumer>::ENTRY }
    });
    quote! {
        const EVENTS: &[#p::EventEntry] = &[#(#events),*];
        const CONSUMERS: &[#p::ConsumerEntry] = &[#(#consumers),*];

        #[automatically_derived]
        impl #p::Registry for #ident {
            #state

            fn registry() -> #p::RegistryInfo {
                #p::registry_info(#name, EVENTS, CONSUMERS)
            }
        }
    }
}

fn consumers(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let state = state(registry);
    let bounds = registry.consumers.iter().map(|consumer| {
        let p = at(p, shown_at(consumer));
        quote_spanned! {shown_at(consumer)=> #consumer: #p::Bind<#state, __Database> }
    });
    let bind = registry.consumers.iter().map(|consumer| {
        let p = at(p, shown_at(consumer));
        quote_spanned! {shown_at(consumer)=>
            <#consumer as #p::Bind<#state, __Database>>::bind(state)
        }
    });
    quote! {
        #[automatically_derived]
        impl<__Database: #p::Backend> #p::Consumers<__Database> for #ident
        where
            #(#bounds,)*
        {
            #[allow(unused_variables)]
            fn consumers(state: &#p::Arc<#state>) -> #p::Vec<#p::Bound<__Database>> {
                #p::vec_of([#(#bind),*])
            }
        }
    }
}

fn checks(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let name = registry.declared.ident.unraw().to_string();
    let events = registry.events.iter().enumerate().map(|(index, event)| {
        let p = at(p, shown_at(event));
        quote_spanned! {shown_at(event)=>
            const _: () = #p::check_event(#name, EVENTS, #index);
        }
    });
    let consumers = registry.consumers.iter().enumerate().map(|(index, consumer)| {
        let p = at(p, shown_at(consumer));
        quote_spanned! {shown_at(consumer)=>
            const _: () = #p::check_consumer(#name, EVENTS, CONSUMERS, #index);
        }
    });
    quote!(#(#events)* #(#consumers)*)
}

fn state(registry: &Registry<'_>) -> TokenStream {
    registry.declared.state.as_ref().map_or_else(|| quote!(()), ToTokens::to_token_stream)
}
