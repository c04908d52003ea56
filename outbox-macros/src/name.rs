//! The permanent name of an event or a consumer.

use proc_macro2::Ident;
use syn::LitStr;

use crate::diagnostics::Errors;
use crate::literal::check_name;

/// What an attribute says about a name.
pub(crate) struct Named<'a> {
    /// Of what: an event, a consumer.
    pub(crate) what: &'a str,
    pub(crate) name: Option<&'a LitStr>,
    /// Whether `name` was written, well or not, or may have been.
    pub(crate) is_settled: bool,
}

impl<'a> Named<'a> {
    /// The name. One that is missing is an error at the item, which says how it is written.
    pub(crate) fn check(self, item: &Ident, how: &str, errors: &mut Errors) -> Option<&'a LitStr> {
        let Some(name) = self.name else {
            if !self.is_settled {
                errors.at(item, format!("missing `name`: add {how}"));
            }
            return None;
        };
        match check_name(self.what, &name.value()) {
            Ok(()) => Some(name),
            Err(message) => {
                errors.at(name, message);
                None
            }
        }
    }
}
