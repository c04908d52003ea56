//! The version of an event, and how older payloads are read.

use proc_macro2::Ident;
use syn::Expr;

use crate::diagnostics::Errors;

/// What an attribute says about the version of an event.
pub(crate) struct Versioned<'a> {
    pub(crate) version: Option<&'a (u32, Expr)>,
    pub(crate) upcast: Option<&'a Ident>,
    pub(crate) no_upcast: Option<&'a Ident>,
    /// Whether `upcast` or `no_upcast` was written, well or not, or may have been.
    pub(crate) is_settled: bool,
}

impl Versioned<'_> {
    /// The version of the event, whose type has this name without a version of its own.
    pub(crate) fn check(&self, name: &str, errors: &mut Errors) -> Option<u32> {
        let version = self.version.map_or(1, |(version, _)| *version);
        match (self.upcast, self.no_upcast, version) {
            (_, _, 0) => {
                errors.at(self.version.map(|(_, written)| written), "versions start at 1");
                return None;
            }
            (Some(_), Some(no_upcast), _) => errors.at(
                no_upcast,
                "`no_upcast` contradicts `upcast`: the first says that older payloads cannot be \
                 read as this version, the second how they are",
            ),
            (Some(option), None, 1) | (None, Some(option), 1) => errors.at(
                option,
                format!("version 1 has no older version: remove `{option}`, or raise `version`"),
            ),
            (None, None, 2..) if !self.is_settled => {
                let (_, written) = self.version?;
                let older = version - 1;
                errors.at(
                    written,
                    format!(
                        "version {version} needs a way from version {older}: add `upcast(from = \
                         {name}V{older})` or `no_upcast`"
                    ),
                );
            }
            _ => {}
        }
        Some(version)
    }
}
