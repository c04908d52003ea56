//! What serde reads and the JSON Schema does not show: other names, and the variant for all others.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Meta};

use super::naming::Naming;
use super::serde::{has, metas, text};

/// Of one event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aliases {
    pub(super) aliases: Vec<Alias>,
    /// The variant with `#[serde(other)]`.
    pub(super) other: Option<String>,
}

/// The other names of a variant, or of a property.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alias {
    variant: Option<String>,
    property: Option<String>,
    names: Vec<String>,
}

impl Alias {
    /// The runtime's `Alias`.
    pub(super) fn value(&self, p: &TokenStream) -> TokenStream {
        let Self { variant, property, names } = self;
        let option = |value: &Option<String>| match value {
            Some(value) => quote!(#p::Option::Some(#value)),
            None => quote!(#p::Option::None),
        };
        let (variant, property) = (option(variant), option(property));
        quote!(#p::Alias { variant: #variant, property: #property, names: &[#(#names),*] })
    }
}

/// What the attributes of the type say; of types that are read as another one, nothing.
pub(super) fn of(input: &DeriveInput) -> Aliases {
    let container = metas(&input.attrs);
    let mut found = Aliases::default();
    if ["transparent", "from", "try_from"].iter().any(|name| has(&container, name)) {
        return found;
    }
    let naming = Naming::read(&input.attrs);
    match &input.data {
        Data::Struct(data) => add_fields(None, &data.fields, &naming, &mut found),
        Data::Enum(data) => {
            for variant in &data.variants {
                let name = naming.variant(variant);
                if has(&metas(&variant.attrs), "other") {
                    found.other = Some(name.clone());
                }
                let names = names(&variant.attrs);
                if !names.is_empty() {
                    let variant = Some(name.clone());
                    found.aliases.push(Alias { variant, property: None, names });
                }
                add_fields(Some(&name), &variant.fields, &naming.within(variant), &mut found);
            }
        }
        Data::Union(_) => {}
    }
    found
}

fn add_fields(variant: Option<&str>, fields: &Fields, naming: &Naming, found: &mut Aliases) {
    for field in fields {
        let names = names(&field.attrs);
        if let Some(property) = naming.field(field).filter(|_| !names.is_empty()) {
            let variant = variant.map(ToOwned::to_owned);
            found.aliases.push(Alias { variant, property: Some(property), names });
        }
    }
}

/// Every `alias = "name"`.
fn names(attributes: &[Attribute]) -> Vec<String> {
    let alias = |meta: Meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident("alias") => text(&pair.value),
        _ => None,
    };
    metas(attributes).into_iter().filter_map(alias).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn alias(variant: Option<&str>, property: Option<&str>, names: &[&str]) -> Alias {
        let owned = |text: &str| text.to_owned();
        Alias {
            variant: variant.map(owned),
            property: property.map(owned),
            names: names.iter().map(|name| owned(name)).collect(),
        }
    }

    #[test]
    fn aliases_belong_to_the_name_that_is_read() {
        let found = of(&parse_quote! {
            #[serde(rename_all(serialize = "snake_case", deserialize = "camelCase"))]
            struct Event {
                #[serde(alias = "number", alias = "no")]
                order_id: u64,
                #[serde(rename(deserialize = "sum"), alias = "amount")]
                total: u64,
                plain: u64,
            }
        });
        let number = alias(None, Some("orderId"), &["number", "no"]);
        assert_eq!(found.aliases, [number, alias(None, Some("sum"), &["amount"])]);
        assert_eq!(found.other, None);
    }

    #[test]
    fn variants_have_aliases_and_one_may_stand_for_all_others() {
        let found = of(&parse_quote! {
            #[serde(tag = "type", rename_all = "snake_case")]
            enum Event {
                #[serde(alias = "Opened")]
                WasOpened {
                    #[serde(alias = "by_whom")]
                    by: String,
                },
                #[serde(other)]
                SomethingElse,
            }
        });
        let variant = alias(Some("was_opened"), None, &["Opened"]);
        assert_eq!(found.aliases, [variant, alias(Some("was_opened"), Some("by"), &["by_whom"])]);
        assert_eq!(found.other.as_deref(), Some("something_else"));
    }
}
