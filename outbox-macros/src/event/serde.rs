//! What serde's attributes say about the names of properties on the wire.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Fields, Ident, LitStr, Member, Meta, Token};

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
#[derive(Debug, Default)]
pub(super) struct Container {
    rename_all: Option<String>,
    rename_all_fields: Option<String>,
    /// Whether the payload is an object of the fields.
    pub(super) plain: bool,
}

impl Container {
    pub(super) fn new(attributes: &[Attribute]) -> Self {
        let metas = metas(attributes);
        Self {
            rename_all: written(&metas, "rename_all"),
            rename_all_fields: written(&metas, "rename_all_fields"),
            plain: !["transparent", "into", "from", "try_from", "remote"]
                .iter()
                .any(|name| has(&metas, name)),
        }
    }

    /// The properties of a struct.
    pub(super) fn struct_properties(&self, fields: &Fields) -> Vec<Property> {
        properties(fields, self.rename_all.as_deref())
    }

    /// The properties of a variant.
    pub(super) fn variant_properties(&self, variant: &syn::Variant) -> Vec<Property> {
        let own = written(&metas(&variant.attrs), "rename_all");
        properties(&variant.fields, own.as_deref().or(self.rename_all_fields.as_deref()))
    }
}

fn properties(fields: &Fields, rename_all: Option<&str>) -> Vec<Property> {
    let members = fields.members();
    fields.iter().zip(members).map(|(field, member)| property(field, member, rename_all)).collect()
}

fn property(field: &syn::Field, member: Member, rename_all: Option<&str>) -> Property {
    let metas = metas(&field.attrs);
    let name = field.ident.as_ref().map(unraw);
    let absent = ["skip", "skip_serializing", "flatten"].iter().any(|option| has(&metas, option));
    let converted = ["with", "serialize_with"].iter().any(|option| has(&metas, option));
    let not_read = ["skip", "skip_deserializing", "with", "deserialize_with"];
    Property {
        member,
        wire: name
            .filter(|_| !absent)
            .map(|name| written(&metas, "rename").unwrap_or_else(|| renamed(&name, rename_all))),
        plain: !absent && !converted,
        read_by_type: !not_read.iter().any(|option| has(&metas, option)),
        ty: field.ty.clone(),
        ident: field.ident.clone(),
    }
}

/// The name without `r#`.
pub(super) fn unraw(ident: &Ident) -> String {
    use syn::ext::IdentExt;
    ident.unraw().to_string()
}

/// Serde's rules for fields, which are written in snake case.
pub(super) fn renamed(field: &str, rule: Option<&str>) -> String {
    let pascal = || -> String {
        field
            .split('_')
            .map(|word| {
                let mut letters = word.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                first.into_iter().chain(letters).collect::<String>()
            })
            .collect()
    };
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => field.to_ascii_uppercase(),
        Some("PascalCase") => pascal(),
        Some("camelCase") => {
            let pascal = pascal();
            let mut letters = pascal.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
        Some("kebab-case") => field.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => field.to_ascii_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
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

/// The value of an option on what is written: of `name = "text"` or of `name(serialize = "text")`.
fn written(metas: &[Meta], name: &str) -> Option<String> {
    value(metas, name, "serialize")
}

/// The same on what is read: of `name = "text"` or of `name(deserialize = "text")`.
pub(super) fn read(metas: &[Meta], name: &str) -> Option<String> {
    value(metas, name, "deserialize")
}

fn value(metas: &[Meta], name: &str, direction: &str) -> Option<String> {
    let meta = metas.iter().find(|meta| meta.path().is_ident(name))?;
    match meta {
        Meta::Path(_) => None,
        Meta::NameValue(pair) => text(&pair.value),
        Meta::List(list) => {
            let inner =
                list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
            let inner: Vec<Meta> = inner.into_iter().collect();
            value(&inner, direction, direction)
        }
    }
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
    fn fields_are_renamed_as_serde_does() {
        for (rule, wire) in [
            ("lowercase", "order_id"),
            ("UPPERCASE", "ORDER_ID"),
            ("PascalCase", "OrderId"),
            ("camelCase", "orderId"),
            ("snake_case", "order_id"),
            ("SCREAMING_SNAKE_CASE", "ORDER_ID"),
            ("kebab-case", "order-id"),
            ("SCREAMING-KEBAB-CASE", "ORDER-ID"),
        ] {
            assert_eq!(renamed("order_id", Some(rule)), wire, "{rule}");
        }
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
