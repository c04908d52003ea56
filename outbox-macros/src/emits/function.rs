//! The function that the attribute is on. Its body stays tokens: what it says is the compiler's
//! business alone.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{AttrStyle, Attribute, Expr, Lit, Meta, Signature, Visibility};

pub(super) struct Function {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
    /// The attributes at the beginning of the body.
    pub(super) inner_attributes: Vec<Attribute>,
    /// The rest of it.
    pub(super) body: Group,
}

/// Reads a function, if the item is one.
pub(super) fn parse(item: &TokenStream) -> syn::Result<Function> {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body: TokenTree = input.parse()?;
        Ok((attributes, visibility, signature, body))
    };
    let (attributes, visibility, signature, body) =
        parser.parse2(item.clone()).map_err(|error| match is_function(item) {
            true => error,
            false => not_a_function(item),
        })?;
    let TokenTree::Group(body) = body else { return Err(not_a_function(item)) };
    if body.delimiter() != Delimiter::Brace {
        return Err(not_a_function(item));
    }
    let (inner_attributes, statements) = inner_attributes.parse2(body.stream())?;
    let mut rest = Group::new(Delimiter::Brace, statements);
    rest.set_span(body.span());
    Ok(Function { attributes, visibility, signature, inner_attributes, body: rest })
}

fn inner_attributes(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

/// Whether it has a body and is malformed in itself.
fn is_function(item: &TokenStream) -> bool {
    matches!(syn::parse2::<syn::Item>(item.clone()), Ok(syn::Item::Fn(_)))
}

fn not_a_function(item: &TokenStream) -> syn::Error {
    let first = item
        .clone()
        .into_iter()
        .find(|tree| !matches!(tree, TokenTree::Punct(_) | TokenTree::Group(_)));
    syn::Error::new_spanned(
        first,
        "`#[emits]` goes on a free `async fn`; a method can call one, with what it needs of `self` \
         as arguments",
    )
}

impl Function {
    /// The function with another body in the place of its own.
    pub(super) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Self { attributes, visibility, signature, inner_attributes, .. } = self;
        let mut block = Group::new(Delimiter::Brace, quote!(#(#inner_attributes)* #body));
        block.set_span(self.body.span());
        quote!(#(#attributes)* #visibility #signature #block)
    }

    /// Its documentation, without the space that lines begin with.
    pub(super) fn docs(&self) -> String {
        let lines: Vec<String> = self
            .attributes
            .iter()
            .filter(|attribute| matches!(attribute.style, AttrStyle::Outer))
            .filter_map(|attribute| match &attribute.meta {
                Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value),
                _ => None,
            })
            .collect();
        lines.join("\n").trim().to_owned()
    }

    /// The names of its type and const parameters.
    pub(super) fn parameters(&self) -> Vec<String> {
        self.signature
            .generics
            .params
            .iter()
            .filter_map(|parameter| match parameter {
                syn::GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
                syn::GenericParam::Const(parameter) => Some(parameter.ident.to_string()),
                syn::GenericParam::Lifetime(_) => None,
            })
            .collect()
    }
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => {
                let text = text.value();
                Some(text.strip_prefix(' ').map_or_else(|| text.clone(), str::to_owned))
            }
            _ => None,
        },
        // Such as `include_str!(...)`, which the attribute cannot read.
        _ => None,
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.with_body(&self.body.stream()));
    }
}
