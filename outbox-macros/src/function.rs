//! The function that an attribute is on. Its body stays tokens: what it says is the compiler's
//! business alone, and whoever is in the middle of writing it still has a function.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{AttrStyle, Attribute, Expr, Item, Lit, Meta, Signature, Visibility, token};

/// An async function, or one that should be.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The attributes at the beginning of the body.
    pub(crate) inner_attributes: Vec<Attribute>,
    /// The rest of it.
    pub(crate) body: Group,
}

/// Reads a function, if the item is one; else says `where_it_goes`.
pub(crate) fn parse(item: &TokenStream, where_it_goes: &str) -> syn::Result<Function> {
    function.parse2(item.clone()).map_err(|error| match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(_)) => error,
        Ok(_) => not_a_function(item, where_it_goes),
        Err(_) if is_in_a_trait(item) => not_a_function(item, where_it_goes),
        Err(error) => error,
    })
}

fn function(input: ParseStream<'_>) -> syn::Result<Function> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    let signature = input.parse()?;
    if !input.peek(token::Brace) {
        return Err(input.error("expected the function's body, in `{` and `}`"));
    }
    let body: Group = input.parse()?;
    let (inner_attributes, statements) = inner_attributes.parse2(body.stream())?;
    let mut rest = Group::new(Delimiter::Brace, statements);
    rest.set_span(body.span());
    Ok(Function { attributes, visibility, signature, inner_attributes, body: rest })
}

fn inner_attributes(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

fn is_in_a_trait(item: &TokenStream) -> bool {
    syn::parse2::<syn::TraitItemFn>(item.clone()).is_ok()
}

fn not_a_function(item: &TokenStream, where_it_goes: &str) -> syn::Error {
    let first = item
        .clone()
        .into_iter()
        .find(|tree| !matches!(tree, TokenTree::Punct(_) | TokenTree::Group(_)));
    syn::Error::new_spanned(first, where_it_goes)
}

impl Function {
    /// The function with another body in the place of its own.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Self { attributes, visibility, signature, inner_attributes, .. } = self;
        let mut block = Group::new(Delimiter::Brace, quote!(#(#inner_attributes)* #body));
        block.set_span(self.body.span());
        quote!(#(#attributes)* #visibility #signature #block)
    }

    /// Its documentation, without the space that lines begin with.
    pub(crate) fn docs(&self) -> String {
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

    /// The conditions on which it exists, for everything that is generated beside it.
    pub(crate) fn conditions(&self) -> Vec<&Attribute> {
        self.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
    }

    /// The struct of the function's name, which stands for it among types.
    pub(crate) fn marker(&self, doc: &str) -> TokenStream {
        let (visibility, ident) = (&self.visibility, &self.signature.ident);
        let conditions = self.conditions();
        quote_spanned! {Span::mixed_site()=>
            #(#conditions)*
            #[doc = #doc]
            #[allow(
                dead_code,
                missing_copy_implementations,
                missing_debug_implementations,
                non_camel_case_types,
                unreachable_pub
            )]
            #visibility struct #ident {}
        }
    }

    /// The names of its type and const parameters.
    pub(crate) fn parameters(&self) -> Vec<String> {
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
