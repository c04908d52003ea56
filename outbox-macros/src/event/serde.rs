//! What serde's attributes say about the properties of a payload.

use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Fields, Ident, LitStr, Member, Meta, Token};

use super::naming::Naming;
use crate::options::as_text;

/// A field of the event, and what it becomes in the payload.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) member: Member,
    /// The name in the payload.
    pub(super) wire: Option<String>,
    /// Whether the payload has this property with the value as serde writes it by itself.
    pub(super) plain: bool,
    /// Whether the field's type is deserialised as it is.
    pub(super) read_by_type: bool,
    pub(super) ty: syn::Type,
    pub(super) ident: Option<Ident>,
}

/// The attributes of the type that matter here.
#[derive(Debug)]
pub(super) struct Container {
    naming: Naming,
    /// Whether the payload is an object of the fields.
    pub(super) plain: bool,
}

impl Container {
    pub(super) fn new(attributes: &[Attribute]) -> Self {
        let metas = metas(attributes);
        Self {
            naming: Naming::written(attributes),
            plain: !["transparent", "into", "from", "try_from", "remote"]
                .iter()
                .any(|name| has(&metas, name)),
        }
    }

    /// The properties of a struct.
    pub(super) fn struct_properties(&self, fields: &Fields) -> Vec<Property> {
        properties(fields, &self.naming)
    }

    /// The properties of a variant.
    pub(super) fn variant_properties(&self, variant: &syn::Variant) -> Vec<Property> {
        properties(&variant.fields, &self.naming.within(variant))
    }
}

fn properties(fields: &Fields, naming: &Naming) -> Vec<Property> {
    let members = fields.members();
    fields.iter().zip(members).map(|(field, member)| property(field, member, naming)).collect()
}

fn property(field: &syn::Field, member: Member, naming: &Naming) -> Property {
    let metas = metas(&field.attrs);
    let absent = ["skip", "skip_serializing", "flatten"].iter().any(|option| has(&metas, option));
    let converted = ["with", "serialize_with"].iter().any(|option| has(&metas, option));
    let not_read = ["skip", "skip_deserializing", "with", "deserialize_with"];
    Property {
        member,
        wire: naming.field(field).filter(|_| !absent),
        plain: !absent && !converted,
        read_by_type: !not_read.iter().any(|option| has(&metas, option)),
        ty: field.ty.clone(),
        ident: field.ident.clone(),
    }
}

/// The name without `r#`.
pub(super) fn unraw(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Everything in `#[serde(...)]`. What cannot be read is serde's to complain about.
pub(super) fn metas(attributes: &[Attribute]) -> Vec<Meta> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .filter_map(|attribute| {
            attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()
        })
        .flatten()
        .collect()
}

pub(super) fn has(metas: &[Meta], name: &str) -> bool {
    metas.iter().any(|meta| meta.path().is_ident(name))
}

pub(super) fn text(value: &Expr) -> Option<String> {
    as_text(value).map(LitStr::value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn wires(input: &syn::DeriveInput) -> Vec<Option<String>> {
        let syn::Data::Struct(data) = &input.data else { panic!("a struct") };
        Container::new(&input.attrs)
            .struct_properties(&data.fields)
            .into_iter()
            .map(|property| property.wire)
            .collect()
    }

    #[test]
    fn a_rename_of_the_field_wins() {
        let input = parse_quote! {
            #[serde(rename_all(serialize = "camelCase", deserialize = "snake_case"))]
            struct Event {
                order_id: u64,
                #[serde(rename = "ref", default)]
                reference: u64,
                #[serde(rename(serialize = "kind"))]
                r#type: u64,
                #[serde(skip)]
                cached: u64,
                r#move: u64,
            }
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(wires(&input), [some("orderId"), some("ref"), some("kind"), None, some("move")]);
    }
}
