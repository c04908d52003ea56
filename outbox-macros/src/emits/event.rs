//! A generated event.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, LitStr};

use super::fields::{Capture, Field, captured_as, constant, field, field_type, held, skips};
use super::key;
use super::parse::Options;
use super::record::{record, structure};
use super::validate::Handler;
use crate::declaration::declaration;
use crate::diagnostics::text;
use crate::function::Function;
use crate::version::Reading;

/// `PlaceOrderEvent` of `place_order`.
pub(super) fn ident(function: &Function) -> Ident {
    named(function, "Event")
}

fn named(function: &Function, suffix: &str) -> Ident {
    let ident = &function.signature.ident;
    let camel: String = ident
        .unraw()
        .to_string()
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect();
    format_ident!("{camel}{suffix}", span = ident.span())
}

/// Everything for a generated event.
pub(super) fn generated(
    p: &TokenStream,
    handler: &Handler<'_>,
    event: &Ident,
    name: &LitStr,
    version: u32,
) -> TokenStream {
    let Handler { function, options, captured, .. } = handler;
    let function_name = function.signature.ident.unraw().to_string();
    let several = several(p, handler);
    let input = match (&several, &captured[..]) {
        (Some((input, _, _)), _) => Some(quote!(#input)),
        (None, [one]) => Some(held(p, one)),
        (None, _) => None,
    };
    let mut fields = Vec::new();
    let mut constants = TokenStream::new();
    if let Some(ty) = input {
        let capture = match (&several, &captured[..]) {
            (None, [one]) => captured_as(one),
            _ => Capture::Value(&ty),
        };
        let skips = skips(p, options, "input", &ty);
        constants.extend(constant(p, "__INPUT", "input", capture, &skips));
        fields.push(field("input", "__INPUT", ty, "What came in."));
    }
    if let Some(ty) = &handler.output {
        let ty = quote!(#ty);
        let skips = skips(p, options, "output", &ty);
        constants.extend(constant(p, "__OUTPUT", "output", Capture::Value(&ty), &skips));
        fields.push(field("output", "__OUTPUT", ty, "What went out."));
    }
    let docs = match function.docs() {
        docs if docs.is_empty() => format!("What `{function_name}` was given and returned."),
        docs => docs,
    };
    let struct_ = structure(handler, event, &fields, &docs);
    let record = record(p, event, &fields, &docs);
    let event_ = event_impl(p, handler, event, name, version);
    let arguments = arguments(p, handler, several.as_ref().map(|(_, fields, _)| &fields[..]));
    let generated = generated_impl(p, handler, event, &arguments);
    let several = several.map(|(_, _, several)| several);
    let conditions = function.conditions();
    quote_spanned! {Span::mixed_site()=>
        #struct_
        #several
        #(#conditions)*
        const _: () = {
            #constants
            #record
            #event_
            #generated
        };
    }
}

/// The struct of an input of several arguments.
fn several(p: &TokenStream, handler: &Handler<'_>) -> Option<(Ident, Vec<Field>, TokenStream)> {
    let Handler { function, captured, .. } = handler;
    if captured.len() < 2 {
        return None;
    }
    let ident = named(function, "Input");
    let mut fields = Vec::new();
    let mut constants = TokenStream::new();
    for (index, binding) in captured.iter().enumerate() {
        let constant_name = format!("__ARGUMENT_{index}");
        let name = binding.ident.unraw().to_string();
        constants.extend(constant(p, &constant_name, &name, captured_as(binding), &[]));
        fields.push(Field {
            ident: binding.ident.clone(),
            constant: Ident::new(&constant_name, Span::mixed_site()),
            ty: held(p, binding),
            docs: format!("The argument `{name}`."),
        });
    }
    let docs = format!("What `{}` was given.", function.signature.ident.unraw());
    let struct_ = structure(handler, &ident, &fields, &docs);
    let record = record(p, &ident, &fields, "");
    let each = fields.iter().map(|field| &field.constant);
    let types = captured.iter().map(|binding| field_type(p, captured_as(binding)));
    let conditions = function.conditions();
    let tokens = quote_spanned! {Span::mixed_site()=>
        #struct_
        #(#conditions)*
        const _: () = {
            #constants
            #record
            #[automatically_derived]
            impl #p::emits::Arguments for #ident {
                type Arguments = (#(#types,)*);
                const ARGUMENTS: Self::Arguments = (#(#each,)*);
            }
        };
    };
    Some((ident, fields, tokens))
}

fn event_impl(
    p: &TokenStream,
    handler: &Handler<'_>,
    event: &Ident,
    name: &LitStr,
    version: u32,
) -> TokenStream {
    let Handler { function, options, .. } = handler;
    let reading = Reading {
        version,
        upcast: options.upcast.as_ref().map(|(_, source)| source),
        no_upcast: options.no_upcast.is_some(),
    };
    let details = details(p, function, options, event, &reading);
    let key = options.key.as_ref().map(|key: &Expr| key::method(p, key));
    let upcast = reading.decode_older(p);
    let check = reading.check(p, name);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #p::Event for #event {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            #details
            #key
            #upcast
        }
        #[automatically_derived]
        impl #p::Emittable for #event {}
        #check
    }
}

/// What schemas and documents want to know.
fn details(
    p: &TokenStream,
    function: &Function,
    options: &Options,
    event: &Ident,
    reading: &Reading<'_>,
) -> TokenStream {
    let ident = event.to_string();
    let declared = declaration(p, &function.signature.ident, &function.attributes);
    let key = options.key.as_ref().map(|key| {
        let key = text(key);
        quote!(key: #p::Option::Some(#key),)
    });
    let reading = reading.details(p);
    quote! {
        const DETAILS: #p::EventDetails = #p::EventDetails {
            declared: #declared,
            ident: #ident,
            #key
            #reading
            ..#p::EventDetails::NONE
        };
    }
}

struct Arguments {
    ty: TokenStream,
    value: TokenStream,
    gather: TokenStream,
}

/// What the event says about capturing its arguments.
fn arguments(p: &TokenStream, handler: &Handler<'_>, several: Option<&[Field]>) -> Arguments {
    match (several, &handler.captured[..]) {
        (Some(_), _) => {
            let ident = named(handler.function, "Input");
            Arguments {
                ty: quote!(<#ident as #p::emits::Arguments>::Arguments),
                value: quote!(<#ident as #p::emits::Arguments>::ARGUMENTS),
                gather: quote_spanned!(Span::mixed_site()=> __INPUT.gather(arguments)),
            }
        }
        (None, [one]) => {
            let ty = field_type(p, captured_as(one));
            Arguments {
                ty: quote!((#ty,)),
                value: quote_spanned!(Span::mixed_site()=> (__INPUT,)),
                gather: quote_spanned!(Span::mixed_site()=> #p::emits::one_input(arguments)),
            }
        }
        (None, _) => Arguments {
            ty: quote!(()),
            value: quote!(()),
            gather: quote_spanned!(Span::mixed_site()=> #p::emits::no_input(arguments)),
        },
    }
}

fn generated_impl(
    p: &TokenStream,
    handler: &Handler<'_>,
    event: &Ident,
    arguments: &Arguments,
) -> TokenStream {
    let Arguments { ty, value, gather } = arguments;
    let (output, output_value) = match &handler.output {
        Some(ty) => (quote!(#p::emits::Field<#ty>), quote_spanned!(Span::mixed_site()=> __OUTPUT)),
        None => (quote!(()), quote!(())),
    };
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #p::emits::Generated for #event {
            type Arguments = #ty;
            const ARGUMENTS: Self::Arguments = #value;
            type Output = #output;
            const OUTPUT: Self::Output = #output_value;

            fn gather(
                arguments: #p::Vec<#p::emits::Property>,
            ) -> #p::Result<#p::Option<#p::emits::Property>, #p::String> {
                #gather
            }
        }
    }
}
