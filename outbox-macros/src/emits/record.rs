//! Generated structs, and how they are written, read and described: by their fields.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::fields::Field;
use super::validate::Handler;

/// The struct.
pub(super) fn structure(
    handler: &Handler<'_>,
    ident: &Ident,
    fields: &[Field],
    docs: &str,
) -> TokenStream {
    let Handler { function, options, .. } = handler;
    let (visibility, conditions) = (&function.visibility, function.conditions());
    let derives = &options.derives;
    let derive = (!derives.is_empty())
        .then(|| quote_spanned! {Span::mixed_site()=> #[derive(#(#derives),*)] });
    let fields = fields.iter().map(|Field { ident, ty, docs, .. }| {
        quote_spanned! {Span::mixed_site()=> #[doc = #docs] pub #ident: #ty }
    });
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[doc = #docs]
        #derive
        #[allow(
            dead_code,
            missing_copy_implementations,
            missing_debug_implementations,
            private_interfaces,
            unreachable_pub
        )]
        #visibility struct #ident {
            #(#fields,)*
        }
    }
}

/// What it implements besides `Event`.
pub(super) fn record(p: &TokenStream, ident: &Ident, fields: &[Field], docs: &str) -> TokenStream {
    let name = ident.to_string();
    let (fields, constants): (Vec<_>, Vec<_>) =
        fields.iter().map(|field| (&field.ident, &field.constant)).unzip();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #p::emits::Record for #ident {
            const NAME: &'static str = #name;
            const MODULE: &'static str = ::core::module_path!();
            const DOCS: &'static str = #docs;

            fn write(&self) -> #p::Result<#p::Vec<#p::emits::Property>, #p::String> {
                #p::Result::Ok(#p::Vec::from([#(#constants.write(&self.#fields)?),*]))
            }

            #[allow(unused_variables)]
            fn read(properties: &#p::emits::Properties) -> #p::Result<Self, #p::String> {
                #p::Result::Ok(Self { #(#fields: #constants.read(properties)?),* })
            }

            #[allow(unused_variables)]
            fn describe(object: &mut #p::emits::Object<'_>) {
                #(#constants.describe(object);)*
            }
        }

        #[automatically_derived]
        impl #p::Serialize for #ident {
            fn serialize<__S: #p::Serializer>(
                &self,
                serializer: __S,
            ) -> #p::Result<__S::Ok, __S::Error> {
                #p::emits::serialize(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> #p::Deserialize<'de> for #ident {
            fn deserialize<__D: #p::Deserializer<'de>>(
                deserializer: __D,
            ) -> #p::Result<Self, __D::Error> {
                #p::emits::deserialize(deserializer)
            }
        }

        #[automatically_derived]
        impl #p::JsonSchema for #ident {
            fn schema_name() -> #p::Cow<'static, str> {
                #p::emits::schema_name::<Self>()
            }

            fn schema_id() -> #p::Cow<'static, str> {
                #p::emits::schema_id::<Self>()
            }

            fn json_schema(generator: &mut #p::SchemaGenerator) -> #p::Schema {
                #p::emits::json_schema::<Self>(generator)
            }
        }
    }
}
