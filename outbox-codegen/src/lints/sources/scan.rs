//! The annotated items of a file, in modules and functions too.

use std::path::{Path, PathBuf};

use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{File, Ident, Item, ItemMod};

use super::attributes::{Attributes, Kind};
use super::names::Names;

/// What a file has.
pub(super) struct Scan {
    pub(super) found: Vec<Found>,
    /// The files and folders of modules that only tests compile.
    pub(super) of_tests: Vec<PathBuf>,
    /// Those of modules that are compiled under another condition.
    pub(super) conditional_files: Vec<PathBuf>,
    names: Names,
    /// Where the file's own folder is, and where the modules that it declares are.
    file_folder: PathBuf,
    module_folder: PathBuf,
    /// Whether what is around is compiled under a condition.
    conditional: bool,
}

/// An annotated item.
pub(super) struct Found {
    pub(super) kind: Kind,
    /// The name of the type or function.
    pub(super) ident: String,
    /// The name that the attribute says.
    pub(super) name: Option<String>,
    pub(super) version: u32,
    pub(super) line: u32,
    pub(super) conditional: bool,
}

/// Looks at a file.
pub(super) fn file(path: &Path, file: &File) -> Scan {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let stem = path.file_stem().unwrap_or_default();
    let is_root =
        ["lib", "main", "mod"].iter().any(|root| stem == *root) || folder.ends_with("bin");
    let module_folder = if is_root { folder.clone() } else { folder.join(stem) };
    let mut scan = Scan {
        found: Vec::new(),
        of_tests: Vec::new(),
        conditional_files: Vec::new(),
        names: Names::of(file),
        file_folder: folder,
        module_folder,
        conditional: false,
    };
    let attributes = Attributes::of(&file.attrs);
    if attributes.of_tests {
        return scan;
    }
    scan.conditional = attributes.conditional;
    if scan.conditional && !is_root {
        scan.conditional_files.push(scan.module_folder.clone());
    }
    scan.visit_file(file);
    scan
}

impl Scan {
    fn annotated(&mut self, attributes: &Attributes, ident: &Ident) {
        if let Some((kind, name, version)) = attributes.annotation(&self.names) {
            self.found.push(Found {
                kind,
                ident: ident.unraw().to_string(),
                name,
                version,
                line: u32::try_from(ident.span().start().line).unwrap_or_default(),
                conditional: self.conditional || attributes.conditional,
            });
        }
    }

    /// The file of a module, and the folder of what is below it.
    fn files(&self, module: &ItemMod, attributes: &Attributes) -> [PathBuf; 2] {
        let named = attributes.path().map(|path| self.file_folder.join(path));
        let folder = self.module_folder.join(module.ident.unraw().to_string());
        [named.unwrap_or_else(|| folder.with_extension("rs")), folder]
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, ident) = match item {
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Mod(item) => (&item.attrs, None),
            Item::Impl(item) => (&item.attrs, None),
            Item::Trait(item) => (&item.attrs, None),
            Item::Const(item) => (&item.attrs, None),
            Item::Static(item) => (&item.attrs, None),
            _ => return,
        };
        let attributes = Attributes::of(attributes);
        if let Item::Mod(module @ ItemMod { content: None, .. }) = item {
            let files = self.files(module, &attributes);
            if attributes.of_tests {
                self.of_tests.extend(files);
            } else if self.conditional || attributes.conditional {
                self.conditional_files.extend(files);
            }
        }
        if attributes.of_tests {
            return;
        }
        if let Some(ident) = ident {
            self.annotated(&attributes, ident);
        }
        let around = self.conditional;
        self.conditional |= attributes.conditional;
        visit::visit_item(self, item);
        self.conditional = around;
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let around = self.module_folder.clone();
        self.module_folder.push(module.ident.unraw().to_string());
        visit::visit_item_mod(self, module);
        self.module_folder = around;
    }
}
