//! Which events are in a registry, for inference: each entry is an impl with an index of its own.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::validate::Registry;
use crate::paths::{at, shown_at_last};

/// The events of a registry, which it passes on to those that include it.
pub(super) fn of(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let listed = lists(p, registry, &quote!(Registered));
    let includes = includes(p, registry);
    quote! {
        #listed
        #includes

        #[diagnostic::do_not_recommend]
        #[automatically_derived]
        impl<__Event, __Index> #p::PassesOn<__Event, __Index> for #ident
        where
            Self: #p::Registered<__Event, __Index>,
        {
        }
    }
}

/// Every event, for a registry with mistakes; those that include it get the entries that are
/// well-formed, since otherwise they could not tell their own events from these.
pub(super) fn of_any_event(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let passed_on = lists(p, registry, &quote!(PassesOn));
    quote! {
        #[automatically_derived]
        impl<__Event> #p::Registered<__Event, #p::Own> for #ident {}

        #[automatically_derived]
        impl<__Registry> #p::Includes<__Registry> for #ident {}

        #passed_on
    }
}

fn lists(p: &TokenStream, registry: &Registry<'_>, member: &TokenStream) -> TokenStream {
    let ident = &registry.declared.ident;
    let events = registry.events.iter().map(|event| {
        let (p, member) = (at(p, shown_at_last(event)), at(member, shown_at_last(event)));
        quote_spanned! {shown_at_last(event)=>
            #[automatically_derived]
            impl #p::#member<#event, #p::Own> for #ident {}
        }
    });
    let generated = registry.handlers.iter().map(|handler| {
        let (p, member) = (at(p, shown_at_last(handler)), at(member, shown_at_last(handler)));
        quote_spanned! {shown_at_last(handler)=>
            #[diagnostic::do_not_recommend]
            #[automatically_derived]
            impl<__Event> #p::#member<__Event, #p::By<#handler>> for #ident
            where
                #handler: #p::Lists<__Event>,
            {
            }
        }
    });
    let included = registry.include.iter().map(|include| {
        let (p, member) = (at(p, shown_at_last(include)), at(member, shown_at_last(include)));
        quote_spanned! {shown_at_last(include)=>
            #[diagnostic::do_not_recommend]
            #[automatically_derived]
            impl<__Event, __Index> #p::#member<__Event, #p::Via<#include, __Index>> for #ident
            where
                #include: #p::PassesOn<__Event, __Index>,
            {
            }
        }
    });
    quote!(#(#events)* #(#generated)* #(#included)*)
}

fn includes(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let includes = registry.include.iter().map(|include| {
        let p = at(p, shown_at_last(include));
        quote_spanned! {shown_at_last(include)=>
            #[automatically_derived]
            impl #p::Includes<#include> for #ident {}
        }
    });
    quote!(#(#includes)*)
}
