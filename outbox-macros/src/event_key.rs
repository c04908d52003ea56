//! `#[derive(EventKey)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Field, Member, Path, Type, parse_quote};

use crate::diagnostics::Errors;
use crate::options::{self, Known};
use crate::paths::{at, private_path, shown_at};

const KNOWN: &[Known] = &[("crate", "crate = path::to::outbox_runtime")];

const USAGE: &str = "`EventKey` is derived for a struct around one key, such as `struct \
                     OrderId(Uuid)`";

/// The derive, from tokens to tokens.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let krate = krate(&input.attrs, &mut errors);
    let p = private_path(krate.as_ref());
    let inner = errors.take(inner(&input));
    let errors = errors.into_compile_errors();
    let implementation = implementation(&p, &input, inner);
    quote!(#errors #implementation)
}

fn krate(attributes: &[Attribute], errors: &mut Errors) -> Option<Path> {
    let mut krate = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("event_key")) {
        let Some(list) = errors.take(attribute.meta.require_list()) else {
            continue;
        };
        for entry in options::parse(list.tokens.clone(), KNOWN, errors) {
            krate = errors.take(entry.path()).cloned().or(krate);
        }
    }
    krate
}

/// The field that is the key. Markers are none: a typed id has one beside its value.
fn inner(input: &DeriveInput) -> syn::Result<(Member, &Field)> {
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            let message = format!("{USAGE}; for an enum, implement `EventKey::to_key`");
            return Err(syn::Error::new_spanned(data.enum_token, message));
        }
        Data::Union(data) => {
            let message = "`EventKey` cannot be derived for unions: use a struct around one key";
            return Err(syn::Error::new_spanned(data.union_token, message));
        }
    };
    let mut fields =
        data.fields.members().zip(&data.fields).filter(|(_, field)| !is_marker(&field.ty));
    match (fields.next(), fields.next()) {
        (Some(inner), None) => Ok(inner),
        (Some(_), Some((_, second))) => {
            let message = format!(
                "{USAGE}: this one has several fields; implement `EventKey::to_key` and say how \
                 they become one text"
            );
            Err(syn::Error::new_spanned(second, message))
        }
        (None, _) => {
            let message = format!("{USAGE}: this one holds nothing");
            Err(syn::Error::new_spanned(&input.ident, message))
        }
    }
}

fn is_marker(field: &Type) -> bool {
    match field {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| last.ident == "PhantomData")
        }
        _ => false,
    }
}

/// Delegates to the inner value; after an error, a type without a key, so that its uses compile.
fn implementation(
    p: &TokenStream,
    input: &DeriveInput,
    inner: Option<(Member, &Field)>,
) -> TokenStream {
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    let body = match inner {
        Some((member, field)) => {
            let at = at(p, shown_at(&field.ty));
            let ty = &field.ty;
            if mentions_parameter(input, ty) {
                let bound = parse_quote!(#ty: #p::EventKey);
                generics.make_where_clause().predicates.push(bound);
            }
            quote_spanned!(shown_at(ty)=> #at::EventKey::to_key(&self.#member))
        }
        None => quote!(#p::Option::None),
    };
    let (parameters, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #p::EventKey for #ident #arguments #bounds {
            fn to_key(&self) -> #p::Option<#p::Cow<'_, str>> {
                #body
            }
        }
    }
}

/// Whether the type needs a bound: one of a type without parameters would be checked, and
/// reported, apart from its use.
fn mentions_parameter(input: &DeriveInput, ty: &Type) -> bool {
    fn mentions(tokens: TokenStream, names: &[String]) -> bool {
        tokens.into_iter().any(|tree| match tree {
            proc_macro2::TokenTree::Ident(ident) => names.contains(&ident.to_string()),
            proc_macro2::TokenTree::Group(group) => mentions(group.stream(), names),
            _ => false,
        })
    }
    let names: Vec<String> =
        input.generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    mentions(ty.to_token_stream(), &names)
}
