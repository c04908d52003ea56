//! The function that a consumer is, as far as the macro looks at it.

use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility, token};

/// A function without its body, which is the compiler's to read: whoever is in the middle of writing
/// it still has a consumer.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
}

impl Function {
    /// The conditions on which the function exists, for everything that is generated beside it.
    pub(super) fn conditions(&self) -> Vec<&Attribute> {
        self.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        if !input.peek(token::Brace) {
            return Err(input.error("expected the function's body, in `{` and `}`"));
        }
        input.parse::<proc_macro2::Group>()?;
        Ok(Self { attributes, visibility, signature })
    }
}
