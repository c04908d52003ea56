//! What `registry!` says, as written.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, Path, Token, Type, Visibility, token};

use crate::diagnostics::{Errors, did_you_mean};

const KNOWN: &[&str] = &["state", "include", "events", "handlers", "consumers", "crate"];

const USAGE: &str =
    "write `registry! { pub struct Shop; events: [OrderPlaced], consumers: [receipt] }`";

/// The registry and its fields.
pub(super) struct Declared {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) ident: Ident,
    pub(super) state: Option<Type>,
    pub(super) include: List,
    pub(super) events: List,
    pub(super) handlers: List,
    pub(super) consumers: List,
    pub(super) krate: Option<Path>,
}

/// A list of entries, in brackets; each entry as the tokens between two commas.
#[derive(Default)]
pub(super) struct List {
    pub(super) entries: Vec<Entry>,
}

pub(super) enum Entry {
    Tokens(TokenStream),
    /// Nothing between two commas, or before the first: the comma.
    Missing(TokenTree),
}

enum Field {
    State(Type),
    Include(List),
    Events(List),
    Handlers(List),
    Consumers(List),
    Crate(Path),
}

/// Reads the registry; `None` if not even its struct can be read.
pub(super) fn registry(input: TokenStream, errors: &mut Errors) -> Option<Declared> {
    let parsed = (|input: ParseStream<'_>| {
        let mut declared = head(input)?;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            fields(input, &mut declared, errors)?;
        } else {
            errors.push(input.error(format!("a registry is a unit struct: {USAGE}")));
            input.parse::<TokenStream>()?;
        }
        Ok(declared)
    })
    .parse2(input);
    errors.take(parsed)
}

fn head(input: ParseStream<'_>) -> syn::Result<Declared> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    if !input.peek(Token![struct]) {
        return Err(input.error(format!("expected the registry's struct: {USAGE}")));
    }
    input.parse::<Token![struct]>()?;
    let ident = input.parse()?;
    Ok(Declared {
        attributes,
        visibility,
        ident,
        state: None,
        include: List::default(),
        events: List::default(),
        handlers: List::default(),
        consumers: List::default(),
        krate: None,
    })
}

fn fields(input: ParseStream<'_>, declared: &mut Declared, errors: &mut Errors) -> syn::Result<()> {
    let mut seen: Vec<Ident> = Vec::new();
    while !input.is_empty() {
        let read = name(input, &seen).and_then(|name| {
            let field = field(input, &name);
            seen.push(name);
            field
        });
        match read {
            Ok(Field::State(state)) => declared.state = Some(state),
            Ok(Field::Include(list)) => declared.include = list,
            Ok(Field::Events(list)) => declared.events = list,
            Ok(Field::Handlers(list)) => declared.handlers = list,
            Ok(Field::Consumers(list)) => declared.consumers = list,
            Ok(Field::Crate(path)) => declared.krate = Some(path),
            Err(error) => {
                errors.push(error);
                skip_to_comma(input)?;
            }
        }
        if !input.is_empty() && input.parse::<Token![,]>().is_err() {
            errors.push(input.error("expected `,` between fields"));
            skip_to_comma(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
    }
    Ok(())
}

fn name(input: ParseStream<'_>, seen: &[Ident]) -> syn::Result<Ident> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a field, such as `events: [OrderPlaced]`"));
    }
    let name = input.call(Ident::parse_any)?;
    if !KNOWN.iter().any(|known| name == known) {
        let hint = did_you_mean(&name.to_string(), "fields", KNOWN);
        return Err(syn::Error::new_spanned(&name, format!("unknown field `{name}`{hint}")));
    }
    if seen.contains(&name) {
        return Err(syn::Error::new_spanned(&name, format!("`{name}` given twice")));
    }
    Ok(name)
}

fn field(input: ParseStream<'_>, name: &Ident) -> syn::Result<Field> {
    if !input.peek(Token![:]) {
        return Err(input.error(format!("expected `:` after `{name}`")));
    }
    input.parse::<Token![:]>()?;
    Ok(match name.to_string().as_str() {
        "state" => Field::State(input.parse()?),
        "crate" => Field::Crate(input.call(Path::parse_mod_style)?),
        "include" => Field::Include(list(input, name, "billing::Billing")?),
        "events" => Field::Events(list(input, name, "OrderPlaced")?),
        "handlers" => Field::Handlers(list(input, name, "place_order")?),
        _ => Field::Consumers(list(input, name, "receipt")?),
    })
}

fn list(input: ParseStream<'_>, name: &Ident, example: &str) -> syn::Result<List> {
    if !input.peek(token::Bracket) {
        return Err(input.error(format!("a list in brackets: write `{name}: [{example}]`")));
    }
    let content;
    syn::bracketed!(content in input);
    let mut entries = Vec::new();
    while !content.is_empty() {
        let tokens = entry(&content)?;
        let comma = if content.is_empty() { None } else { Some(content.parse()?) };
        match comma {
            Some(comma) if tokens.is_empty() => entries.push(Entry::Missing(comma)),
            _ => entries.push(Entry::Tokens(tokens)),
        }
    }
    Ok(List { entries })
}

/// Everything up to the next comma that is not between `<` and `>`.
fn entry(content: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut depth = 0_usize;
    while !content.is_empty() {
        if depth == 0 && content.peek(Token![,]) {
            break;
        }
        let tree: TokenTree = content.parse()?;
        match &tree {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        tokens.extend([tree]);
    }
    Ok(tokens)
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
