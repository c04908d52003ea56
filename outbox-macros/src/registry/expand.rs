//! The registry's struct, what it implements, and the checks in const evaluation.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Path, Type};

use super::membership;
use super::validate::Registry;
use crate::declaration::declaration;
use crate::diagnostics::Errors;
use crate::paths::{at, private_path, shown_at, shown_at_last};

/// The registry. After errors, it has the well-formed entries, counts every event as listed, and
/// runs no consumer: whatever uses it compiles.
pub(super) fn registry(registry: &Registry<'_>, errors: Errors) -> TokenStream {
    let declared = registry.declared;
    let p = private_path(declared.krate.as_ref());
    let (attributes, visibility, ident) =
        (&declared.attributes, &declared.visibility, &declared.ident);
    let value = value(&p, registry, errors.is_empty());
    let rest = if errors.is_empty() {
        let membership = membership::of(&p, registry);
        let consumers = consumers(&p, registry);
        let checks = checks(&p, registry);
        quote!(#membership #consumers #checks)
    } else {
        let membership = membership::of_any_event(&p, registry);
        let consumers = no_consumers(&p, registry);
        quote!(#membership #consumers)
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

/// The registry as a constant and as a value. Every entry is named once as what it should be, so
/// that one that is not is one error.
fn value(p: &TokenStream, registry: &Registry<'_>, complete: bool) -> TokenStream {
    let declared = registry.declared;
    let ident = &declared.ident;
    let name = ident.unraw().to_string();
    let state = state(registry);
    let state = quote_spanned! {shown_at(&state)=> type State = #state; };
    let declaration = declaration(p, ident, &declared.attributes);
    let events = entries(p, &registry.events, quote!(ListedEvent));
    let handlers = entries_with(p, &registry.handlers, quote!(ListedHandler), quote!(EMITTED));
    let consumers = entries_with(p, &registry.consumers, quote!(ListedConsumer), quote!(CONSUMED));
    let includes = entries(p, &registry.include, quote!(ListedRegistry));
    quote! {
        #[allow(unused_imports)]
        use #p::NoEntry as _;

        #[allow(unused_parens)]
        const LISTING: &#p::Listing = &#p::Listing {
            name: #name,
            declared: #declaration,
            events: &[#(#events),*],
            handlers: &[#(#handlers),*],
            consumers: &[#(#consumers),*],
            includes: &[#(#includes),*],
            complete: #complete,
        };

        #[automatically_derived]
        impl #p::Registry for #ident {
            #state

            const LISTING: &'static #p::Listing = LISTING;

            fn registry() -> #p::RegistryInfo {
                #p::registry_info(LISTING)
            }
        }
    }
}

fn entries<'a>(
    p: &'a TokenStream,
    paths: &'a [Path],
    listed: TokenStream,
) -> impl Iterator<Item = TokenStream> + 'a {
    paths.iter().map(move |entry| {
        let p = at(p, shown_at_last(entry));
        let listed = at(&listed, shown_at_last(entry));
        quote_spanned! {shown_at_last(entry)=> <#entry as #p::#listed>::ENTRY }
    })
}

/// The same of what has an event. That may be none, which is reported where the user names it.
fn entries_with<'a>(
    p: &'a TokenStream,
    paths: &'a [Path],
    listed: TokenStream,
    event: TokenStream,
) -> impl Iterator<Item = TokenStream> + 'a {
    entries(p, paths, listed).zip(paths).map(move |(listing, entry)| {
        let p = at(p, shown_at_last(entry));
        // In parentheses, for what is no type would be taken for a constant.
        quote_spanned! {shown_at_last(entry)=> #listing.with(#p::EntryOf::<(#entry)>::#event) }
    })
}

fn consumers(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let (state, db) = (state(registry), database(registry));
    let run = |trait_: TokenStream, path: &Path| {
        let p = at(p, shown_at_last(path));
        let trait_ = at(&trait_, shown_at_last(path));
        quote_spanned! {shown_at_last(path)=> #p::#trait_<#state, #db> }
    };
    let own: Vec<_> = registry.consumers.iter().map(|c| (c, run(quote!(Bind), c))).collect();
    let included: Vec<_> = registry.include.iter().map(|r| (r, run(quote!(RunWith), r))).collect();
    let bounds = own.iter().chain(&included).map(|(path, bound)| {
        quote_spanned! {shown_at_last(path)=> #path: #bound }
    });
    let bind = own.iter().map(|(path, bound)| {
        quote_spanned! {shown_at_last(path)=> <#path as #bound>::bind(state) }
    });
    let run_with = included.iter().map(|(path, bound)| {
        quote_spanned! {shown_at_last(path)=> <#path as #bound>::run_with(state) }
    });
    let all = match included.is_empty() {
        true => quote!(#p::vec_of([#(#bind),*])),
        false => quote!(#p::run_once(#p::vec_of([#(#bind),*]), [#(#run_with),*])),
    };
    let run_with = run_with_state(p, registry);
    quote! {
        #[automatically_derived]
        impl<#db: #p::Backend> #p::Consumers<#db> for #ident
        where
            #(#bounds,)*
        {
            #[allow(unused_variables)]
            fn consumers(state: &#p::Arc<#state>) -> #p::Vec<#p::Bound<#db>> {
                #all
            }
        }
        #run_with
    }
}

/// How a registry that includes this one runs its consumers: with a part of its own state. A
/// registry without a state needs none.
fn run_with_state(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let (state, db) = (state(registry), database(registry));
    let (bound, part) = match &registry.declared.state {
        Some(state) if !is_unit(state) => (
            quote!(#state: #p::PartFor<#ident, __State>,),
            quote!(<#state as #p::PartFor<#ident, __State>>::part(state)),
        ),
        _ => (TokenStream::new(), quote!(#p::Arc::<#state>::new(()))),
    };
    quote! {
        #[automatically_derived]
        impl<__State, #db: #p::Backend> #p::RunWith<__State, #db> for #ident
        where
            #bound
            Self: #p::Consumers<#db>,
        {
            #[allow(unused_variables)]
            fn run_with(state: &__State) -> #p::Vec<#p::Bound<#db>> {
                <Self as #p::Consumers<#db>>::consumers(&#part)
            }
        }
    }
}

/// Stands for the consumers of a registry with mistakes.
fn no_consumers(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let ident = &registry.declared.ident;
    let (state, db) = (state(registry), database(registry));
    quote! {
        #[automatically_derived]
        impl<#db: #p::Backend> #p::Consumers<#db> for #ident {
            fn consumers(_: &#p::Arc<#state>) -> #p::Vec<#p::Bound<#db>> {
                #p::Vec::new()
            }
        }

        #[automatically_derived]
        impl<__State, #db: #p::Backend> #p::RunWith<__State, #db> for #ident {
            fn run_with(_: &__State) -> #p::Vec<#p::Bound<#db>> {
                #p::Vec::new()
            }
        }
    }
}

/// One constant an entry, so that each mistake is shown at its own.
fn checks(p: &TokenStream, registry: &Registry<'_>) -> TokenStream {
    let check = |paths: &[Path], check: TokenStream| -> TokenStream {
        let checks = paths.iter().enumerate().map(|(index, path)| {
            let (p, check) = (at(p, shown_at_last(path)), at(&check, shown_at_last(path)));
            quote_spanned! {shown_at_last(path)=> const _: () = #p::#check(LISTING, #index); }
        });
        quote!(#(#checks)*)
    };
    let includes = match &registry.include[..] {
        [] | [_] => TokenStream::new(), // One alone contradicts no other.
        several => check(several, quote!(check_include)),
    };
    let events = check(&registry.events, quote!(check_event));
    let handlers = check(&registry.handlers, quote!(check_handler));
    let consumers = check(&registry.consumers, quote!(check_consumer));
    quote!(#includes #events #handlers #consumers)
}

fn state(registry: &Registry<'_>) -> TokenStream {
    registry.declared.state.as_ref().map_or_else(|| quote!(()), ToTokens::to_token_stream)
}

/// The parameter that stands for the database in messages of the compiler: `DB`, unless something
/// that is named beside it has that name.
fn database(registry: &Registry<'_>) -> Ident {
    fn mentions(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => mentions(group.stream(), name),
            _ => false,
        })
    }
    let declared = registry.declared.ident.to_token_stream();
    let paths = registry.consumers.iter().chain(&registry.include).map(ToTokens::to_token_stream);
    let taken = paths.chain([declared, state(registry)]).any(|named| mentions(named, "DB"));
    Ident::new(if taken { "__Database" } else { "DB" }, Span::mixed_site())
}

fn is_unit(state: &Type) -> bool {
    match state {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Group(group) => is_unit(&group.elem),
        _ => false,
    }
}
