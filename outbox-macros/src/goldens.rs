//! What the macros expand to, compared with the files in `goldens/src`.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, File, Item, Meta, Token};

use crate::{consumer, emits, event, registry};

#[test]
fn goldens_of_an_event() {
    check("event");
}

#[test]
fn goldens_of_a_consumer() {
    check("consumer");
}

#[test]
fn goldens_of_an_emitting_handler() {
    check("handler");
}

#[test]
fn goldens_of_a_registry() {
    check("registry");
}

fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens");
    let input = fs::read_to_string(folder.join(format!("input/{name}.rs"))).expect("the input");
    let expanded = expand(&input);
    let golden = folder.join(format!("src/{name}.rs"));
    if std::env::var_os("GOLDENS").is_some_and(|value| value == "overwrite") {
        fs::write(&golden, &expanded).expect("the golden is writable");
        return;
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        expected == expanded,
        "the expansion of input/{name}.rs is no longer {}. If that is meant: \
         GOLDENS=overwrite cargo test -p outbox-macros goldens\n\n{expanded}",
        golden.display()
    );
}

/// The file with every macro of ours expanded.
fn expand(input: &str) -> String {
    let mut file: File = syn::parse_file(input).expect("the input is Rust");
    // The imports of the macros are no longer used.
    let items = std::mem::take(&mut file.items);
    let expanded: TokenStream = items.into_iter().map(expand_item).collect();
    file.items = syn::parse2::<File>(expanded).expect("the expansion is Rust").items;
    prettyplease::unparse(&file)
}

fn expand_item(item: Item) -> TokenStream {
    match item {
        Item::Struct(mut item) => {
            let derived =
                takes_event(&mut item.attrs).then(|| event::derive(item.to_token_stream()));
            item.attrs.retain(|attribute| !attribute.path().is_ident("event"));
            quote!(#item #derived)
        }
        Item::Fn(mut item) => match take(&mut item.attrs, &["consumer", "emits"]) {
            Some(attribute) => {
                let options = attribute.meta.require_list().expect("options").tokens.clone();
                let item = item.into_token_stream();
                match attribute.path().is_ident("consumer") {
                    true => consumer::attribute(options, item),
                    false => emits::attribute(options, item),
                }
            }
            None => item.into_token_stream(),
        },
        Item::Macro(item) if item.mac.path.is_ident("registry") => {
            registry::declare(item.mac.tokens)
        }
        Item::Use(item) => without_macros(&item.to_token_stream().to_string()),
        other => other.into_token_stream(),
    }
}

/// Takes `Event` out of the derives, if it is among them.
fn takes_event(attributes: &mut [Attribute]) -> bool {
    let mut found = false;
    for attribute in attributes.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let Meta::List(list) = &mut attribute.meta else { continue };
        let derives = list
            .parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
            .expect("paths");
        found |= derives.iter().any(|path| path.is_ident("Event"));
        let others = derives.iter().filter(|path| !path.is_ident("Event"));
        list.tokens = quote!(#(#others),*);
    }
    found
}

fn take(attributes: &mut Vec<Attribute>, names: &[&str]) -> Option<Attribute> {
    let is_ours = |attribute: &Attribute| names.iter().any(|name| attribute.path().is_ident(name));
    let index = attributes.iter().position(is_ours)?;
    Some(attributes.remove(index))
}

/// An import without the macros, which nothing uses any more.
fn without_macros(import: &str) -> TokenStream {
    let mut import = import.to_owned();
    for name in ["consumer", "emits", "registry", "Event"] {
        for (found, kept) in [(format!(" , {name} }}"), " }"), (format!("{{ {name} , "), "{ ")] {
            import = import.replace(&found, kept);
        }
    }
    let only = ["consumer", "emits", "registry", "Event"]
        .iter()
        .any(|name| import == format!("use outbox_runtime :: {name} ;"));
    if only { TokenStream::new() } else { import.parse().expect("an import") }
}
