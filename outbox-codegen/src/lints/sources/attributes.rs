//! What the attributes of an item say, `cfg_attr` taken off.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitInt, LitStr, Meta, Path, Token};

use super::names::Names;

/// What an annotated item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Event,
    Handler,
    Consumer,
}

/// The attributes of an item, those in `cfg_attr` among them.
pub(super) struct Attributes {
    all: Vec<Meta>,
    /// Whether it, or an attribute of it, is compiled under a condition.
    pub(super) conditional: bool,
    /// Whether it is compiled for tests only.
    pub(super) of_tests: bool,
}

impl Attributes {
    pub(super) fn of(attributes: &[Attribute]) -> Self {
        let mut found = Self { all: Vec::new(), conditional: false, of_tests: false };
        attributes.iter().for_each(|attribute| found.add(&attribute.meta));
        found
    }

    fn add(&mut self, meta: &Meta) {
        match meta {
            Meta::List(list) if list.path.is_ident("cfg") => {
                self.conditional = true;
                self.of_tests |= list.parse_args::<Meta>().is_ok_and(|cfg| needs_test(&cfg));
            }
            Meta::List(list) if list.path.is_ident("cfg_attr") => {
                let parts = metas(list.tokens.clone());
                if let [condition, attributes @ ..] = &parts[..]
                    && !needs_test(condition)
                {
                    self.conditional = true;
                    attributes.iter().for_each(|attribute| self.add(attribute));
                }
            }
            meta => {
                self.of_tests |= is(meta.path(), "test");
                self.all.push(meta.clone());
            }
        }
    }

    /// What the item is, with the name and the version that its attribute says. `names` are those of the
    /// file.
    pub(super) fn annotation(&self, names: &Names) -> Option<(Kind, Option<String>, u32)> {
        let options = |name| {
            let mut ours = self.all.iter().filter(|meta| names.mean(meta.path(), name)).peekable();
            ours.peek()?;
            Some(ours.flat_map(tokens).collect::<TokenStream>())
        };
        let says = |kind, options: TokenStream| {
            let name = option::<LitStr>(&options, "name").map(|name| name.value());
            let version = option::<LitInt>(&options, "version");
            let version = version.and_then(|version| version.base10_parse().ok()).unwrap_or(1);
            (kind, name, version)
        };
        // Other crates have a `consumer` and an `Event` too; ours cannot be without a name.
        let named = |kind, options| Some(says(kind, options)).filter(|(_, name, _)| name.is_some());
        if let Some(options) = options("consumer") {
            return named(Kind::Consumer, options);
        }
        if let Some(options) = options("emits") {
            return Some(says(Kind::Handler, options));
        }
        let event = named(Kind::Event, options("event")?)?;
        self.derives(names, "Event").then_some(event)
    }

    /// The file that `#[path = "..."]` names.
    pub(super) fn path(&self) -> Option<String> {
        self.all.iter().find_map(|meta| match meta {
            Meta::NameValue(value) if value.path.is_ident("path") => match &value.value {
                Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
                _ => None,
            },
            _ => None,
        })
    }

    fn derives(&self, names: &Names, name: &str) -> bool {
        let derives = self.all.iter().filter(|meta| meta.path().is_ident("derive"));
        derives.flat_map(|derive| metas(tokens(derive))).any(|it| names.mean(it.path(), name))
    }
}

/// Whether the last segment is this.
pub(super) fn is(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// What is in the parentheses.
fn tokens(meta: &Meta) -> TokenStream {
    meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default()
}

fn metas(tokens: TokenStream) -> Vec<Meta> {
    let parsed = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens);
    parsed.map(|metas| metas.into_iter().collect()).unwrap_or_default()
}

/// Whether a condition holds in tests only.
fn needs_test(cfg: &Meta) -> bool {
    let parts = || metas(tokens(cfg));
    if cfg.path().is_ident("all") {
        return parts().iter().any(needs_test);
    }
    if cfg.path().is_ident("any") {
        let parts = parts();
        return !parts.is_empty() && parts.iter().all(needs_test);
    }
    cfg.path().is_ident("test")
}

/// The literal after `name =`.
fn option<T: syn::parse::Parse>(options: &TokenStream, name: &str) -> Option<T> {
    let trees: Vec<TokenTree> = options.clone().into_iter().collect();
    trees.windows(3).find_map(|trees| match trees {
        [TokenTree::Ident(ident), TokenTree::Punct(assigns), TokenTree::Literal(literal)]
            if ident == name && assigns.as_char() == '=' =>
        {
            syn::parse2(TokenTree::Literal(literal.clone()).into()).ok()
        }
        _ => None,
    })
}
