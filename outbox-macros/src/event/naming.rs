//! How serde names fields and variants on the wire.

use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Ident, Meta, Token, Variant};

use super::serde::{metas, text, unraw};

/// The names of what a type has, as they are written or as they are read.
#[derive(Debug)]
pub(super) struct Naming {
    /// `serialize` or `deserialize`: where the names differ, serde has an option for each.
    direction: &'static str,
    rename_all: Option<String>,
    rename_all_fields: Option<String>,
}

impl Naming {
    /// The names in what the type with these attributes writes.
    pub(super) fn written(attributes: &[Attribute]) -> Self {
        Self::new(attributes, "serialize")
    }

    /// The names in what it reads, without aliases.
    pub(super) fn read(attributes: &[Attribute]) -> Self {
        Self::new(attributes, "deserialize")
    }

    fn new(attributes: &[Attribute], direction: &'static str) -> Self {
        let metas = metas(attributes);
        Self {
            direction,
            rename_all: option(&metas, "rename_all", direction),
            rename_all_fields: option(&metas, "rename_all_fields", direction),
        }
    }

    /// The names of the variant's fields.
    pub(super) fn within(&self, variant: &Variant) -> Self {
        let own = Self::new(&variant.attrs, self.direction);
        let rename_all = own.rename_all.or_else(|| self.rename_all_fields.clone());
        Self { rename_all, ..own }
    }

    /// The name of a field, if it has one in Rust.
    pub(super) fn field(&self, field: &Field) -> Option<String> {
        field.ident.as_ref().map(|ident| self.name(&field.attrs, ident, of_field))
    }

    /// The name of a variant.
    pub(super) fn variant(&self, variant: &Variant) -> String {
        self.name(&variant.attrs, &variant.ident, of_variant)
    }

    fn name(&self, attributes: &[Attribute], ident: &Ident, rules: Rules) -> String {
        option(&metas(attributes), "rename", self.direction)
            .unwrap_or_else(|| rules(&unraw(ident), self.rename_all.as_deref()))
    }
}

/// The value of `name = "text"`, or of `name(direction = "text")`.
fn option(metas: &[Meta], name: &str, direction: &str) -> Option<String> {
    let meta = metas.iter().find(|meta| meta.path().is_ident(name))?;
    match meta {
        Meta::Path(_) => None,
        Meta::NameValue(pair) => text(&pair.value),
        Meta::List(list) => {
            let inner =
                list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
            let inner: Vec<Meta> = inner.into_iter().collect();
            option(&inner, direction, direction)
        }
    }
}

/// Serde's rules: a name as it is by `rename_all`.
type Rules = fn(&str, Option<&str>) -> String;

/// Those for fields, which are written in snake case.
fn of_field(field: &str, rule: Option<&str>) -> String {
    let pascal = || -> String {
        field.split('_').map(|word| begin(word, char::to_ascii_uppercase)).collect()
    };
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => field.to_ascii_uppercase(),
        Some("PascalCase") => pascal(),
        Some("camelCase") => begin(&pascal(), char::to_ascii_lowercase),
        Some("kebab-case") => field.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => field.to_ascii_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
}

/// Those for variants, which are written in pascal case.
fn of_variant(variant: &str, rule: Option<&str>) -> String {
    let snake = || -> String {
        let letters = variant.char_indices().flat_map(|(index, letter)| {
            let gap = (index > 0 && letter.is_uppercase()).then_some('_');
            gap.into_iter().chain([letter.to_ascii_lowercase()])
        });
        letters.collect()
    };
    match rule {
        None | Some("PascalCase") => variant.to_owned(),
        Some("lowercase") => variant.to_ascii_lowercase(),
        Some("UPPERCASE") => variant.to_ascii_uppercase(),
        Some("camelCase") => begin(variant, char::to_ascii_lowercase),
        rule => of_field(&snake(), rule),
    }
}

/// The text with another first letter.
fn begin(text: &str, case: fn(&char) -> char) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| case(&letter));
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_variants_are_renamed_as_serde_does() {
        for (rule, field, variant) in [
            ("lowercase", "order_id", "wasopened"),
            ("UPPERCASE", "ORDER_ID", "WASOPENED"),
            ("PascalCase", "OrderId", "WasOpened"),
            ("camelCase", "orderId", "wasOpened"),
            ("snake_case", "order_id", "was_opened"),
            ("SCREAMING_SNAKE_CASE", "ORDER_ID", "WAS_OPENED"),
            ("kebab-case", "order-id", "was-opened"),
            ("SCREAMING-KEBAB-CASE", "ORDER-ID", "WAS-OPENED"),
        ] {
            assert_eq!(of_field("order_id", Some(rule)), field, "{rule}");
            assert_eq!(of_variant("WasOpened", Some(rule)), variant, "{rule}");
        }
    }
}
