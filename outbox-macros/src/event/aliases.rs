//! What serde reads and the JSON Schema does not show: other names, and the variant for all others.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Meta};

use super::serde::{has, metas, read, renamed, text, unraw};

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
    let rename_all = read(&container, "rename_all");
    match &input.data {
        Data::Struct(data) => add_fields(None, &data.fields, rename_all.as_deref(), &mut found),
        Data::Enum(data) => {
            let fields = read(&container, "rename_all_fields");
            for variant in &data.variants {
                let attributes = metas(&variant.attrs);
                let name = read(&attributes, "rename").unwrap_or_else(|| {
                    renamed_variant(&unraw(&variant.ident), rename_all.as_deref())
                });
                if has(&attributes, "other") {
                    found.other = Some(name.clone());
                }
                let names = names(&variant.attrs);
                if !names.is_empty() {
                    let variant = Some(name.clone());
                    found.aliases.push(Alias { variant, property: None, names });
                }
                let own = read(&attributes, "rename_all");
                let rule = own.as_deref().or(fields.as_deref());
                add_fields(Some(&name), &variant.fields, rule, &mut found);
            }
        }
        Data::Union(_) => {}
    }
    found
}

fn add_fields(variant: Option<&str>, fields: &Fields, rule: Option<&str>, found: &mut Aliases) {
    for field in fields {
        let names = names(&field.attrs);
        if let Some(property) = property(field, rule).filter(|_| !names.is_empty()) {
            let variant = variant.map(ToOwned::to_owned);
            found.aliases.push(Alias { variant, property: Some(property), names });
        }
    }
}

/// The name of the property that a field is read from.
fn property(field: &Field, rule: Option<&str>) -> Option<String> {
    let ident = field.ident.as_ref()?;
    let renamed = || renamed(&unraw(ident), rule);
    Some(read(&metas(&field.attrs), "rename").unwrap_or_else(renamed))
}

/// Every `alias = "name"`.
fn names(attributes: &[Attribute]) -> Vec<String> {
    let alias = |meta: Meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident("alias") => text(&pair.value),
        _ => None,
    };
    metas(attributes).into_iter().filter_map(alias).collect()
}

/// Serde's rules for variants, which are written in pascal case.
fn renamed_variant(variant: &str, rule: Option<&str>) -> String {
    let snake = || -> String {
        let letters = variant.char_indices().flat_map(|(index, letter)| {
            let gap = (index > 0 && letter.is_uppercase()).then_some('_');
            gap.into_iter().chain([letter.to_ascii_lowercase()])
        });
        letters.collect()
    };
    match rule {
        Some("lowercase") => variant.to_ascii_lowercase(),
        Some("UPPERCASE") => variant.to_ascii_uppercase(),
        Some("camelCase") => {
            let mut letters = variant.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
        Some("snake_case") => snake(),
        Some("SCREAMING_SNAKE_CASE") => snake().to_ascii_uppercase(),
        Some("kebab-case") => snake().replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => snake().to_ascii_uppercase().replace('_', "-"),
        _ => variant.to_owned(),
    }
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

    #[test]
    fn variants_are_renamed_as_serde_does() {
        for (rule, wire) in [
            ("lowercase", "wasopened"),
            ("UPPERCASE", "WASOPENED"),
            ("PascalCase", "WasOpened"),
            ("camelCase", "wasOpened"),
            ("snake_case", "was_opened"),
            ("SCREAMING_SNAKE_CASE", "WAS_OPENED"),
            ("kebab-case", "was-opened"),
            ("SCREAMING-KEBAB-CASE", "WAS-OPENED"),
        ] {
            assert_eq!(renamed_variant("WasOpened", Some(rule)), wire, "{rule}");
        }
    }
}
