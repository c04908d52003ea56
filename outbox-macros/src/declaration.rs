//! Where an item was declared, and its documentation, as the runtime's `Declaration`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Expr, Meta};

use crate::options::as_text;

/// The `Declaration` of the item with this name and these attributes.
pub(crate) fn declaration(p: &TokenStream, ident: &Ident, attributes: &[Attribute]) -> TokenStream {
    // With the very span of the name: that of the expansion would be the line of the macro.
    let place = quote_spanned! {ident.span()=>
        ::core::module_path!(), ::core::file!(), ::core::line!()
    };
    let docs = docs(attributes);
    quote!(#p::Declaration::new(#place, #docs))
}

/// The documentation as one text. What is no literal, such as `include_str!`, is left to `concat!`.
fn docs(attributes: &[Attribute]) -> TokenStream {
    let mut parts: Vec<TokenStream> = Vec::new();
    let mut text = String::new();
    for (index, line) in attributes.iter().filter_map(written).enumerate() {
        if index > 0 {
            text.push('\n');
        }
        match as_text(line) {
            Some(line) => text.push_str(&without_indent(&line.value())),
            None => {
                parts.extend([std::mem::take(&mut text).into_token_stream(), quote!(#line)]);
            }
        }
    }
    if parts.is_empty() {
        return text.trim().into_token_stream();
    }
    quote!(::core::concat!(#(#parts,)* #text))
}

/// The value of `#[doc = value]`.
fn written(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => Some(&doc.value),
        _ => None,
    }
}

/// Without the space after `///`. (A comment in `/** */` has several lines.)
fn without_indent(text: &str) -> String {
    let lines: Vec<&str> =
        text.split('\n').map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn docs_of(item: &syn::ItemStruct) -> String {
        docs(&item.attrs).to_string()
    }

    #[test]
    fn lines_are_joined_without_the_space_that_each_begins_with() {
        let item = parse_quote! {
            /// An order was placed.
            ///
            ///   * indented
            #[derive(Debug)]
            #[doc(hidden)]
            #[doc = "and more"]
            struct OrderPlaced;
        };
        assert_eq!(docs_of(&item), "\"An order was placed.\\n\\n  * indented\\nand more\"");
    }

    #[test]
    fn what_is_no_literal_is_left_to_concat() {
        let item = parse_quote! {
            /// Before.
            #[doc = include_str!("order.md")]
            /// After.
            struct OrderPlaced;
        };
        let shown = docs_of(&item).replace(' ', "");
        assert_eq!(
            shown,
            "::core::concat!(\"Before.\\n\",include_str!(\"order.md\"),\"\\nAfter.\")"
        );
    }

    #[test]
    fn an_item_without_documentation_has_none() {
        assert_eq!(
            docs_of(&parse_quote!(
                struct OrderPlaced;
            )),
            "\"\""
        );
    }
}
