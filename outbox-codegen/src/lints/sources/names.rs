//! The names under which a file knows the macros.

use syn::visit::{self, Visit};
use syn::{File, Ident, Path, UseRename};

use super::attributes::is;

/// What a file imports under another name, wherever in it.
#[derive(Default)]
pub(super) struct Names {
    /// The name that something has, and the one that it gets.
    renamed: Vec<(Ident, Ident)>,
}

impl Names {
    pub(super) fn of(file: &File) -> Self {
        let mut names = Self::default();
        visit::visit_file(&mut names, file);
        names
    }

    /// Whether a path is this macro: by its last name, or by the one that the file gives it.
    pub(super) fn mean(&self, path: &Path, macro_name: &str) -> bool {
        let gives = |(from, to): &(Ident, Ident)| from == macro_name && path.is_ident(to);
        is(path, macro_name) || self.renamed.iter().any(gives)
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_use_rename(&mut self, renamed: &'ast UseRename) {
        self.renamed.push((renamed.ident.clone(), renamed.rename.clone()));
    }
}
