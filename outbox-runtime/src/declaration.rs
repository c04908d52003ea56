//! Where something was declared, and what its author wrote about it.

/// Where an event, a consumer or an emitting handler was declared, and its documentation. The
/// macros fill it in; what is generated from a registry shows it.
///
/// ```
/// use outbox_runtime::Declaration;
///
/// let declared = Declaration::new("shop::orders", "src/orders.rs", 12, "An order was placed.");
/// assert_eq!(declared.to_string(), "src/orders.rs:12");
/// assert_eq!(Declaration::UNKNOWN.to_string(), "(unknown)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Declaration {
    /// The path of the module.
    pub module: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line in that file, from 1.
    pub line: u32,
    /// The documentation comment, its lines joined and without the space that each begins with.
    pub docs: &'static str,
}

impl Declaration {
    /// Of what was implemented by hand and does not say.
    pub const UNKNOWN: Self = Self::new("", "", 0, "");

    /// A declaration.
    #[must_use]
    pub const fn new(
        module: &'static str,
        file: &'static str,
        line: u32,
        docs: &'static str,
    ) -> Self {
        Self { module, file, line, docs }
    }
}

/// `file:line`.
impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.file {
            "" => f.write_str("(unknown)"),
            file => write!(f, "{file}:{}", self.line),
        }
    }
}
