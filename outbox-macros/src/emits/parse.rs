//! What `#[emits(...)]` says, as written.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, LitStr, Member, Path, Token, Type};

use crate::diagnostics::{Errors, text};
use crate::options::{self, Entry, Known, as_path};

const KNOWN: &[Known] = &[
    ("name", "name = \"rpc.orders.place\""),
    ("version", "version = 2"),
    ("key", "key = output.id"),
    ("input", "input(order)"),
    ("skip", "skip(input.card)"),
    ("output", "output = Order"),
    ("with", "with = |order: &PlaceOrder, output: &Order| OrderPlaced { id: output.id }"),
    ("infallible", "infallible"),
    ("upcast", "upcast(from = PlaceOrderEventV1)"),
    ("no_upcast", "no_upcast"),
    ("derive", "derive(Debug, Clone)"),
    ("crate", "crate = path::to::outbox_runtime"),
];

/// What an event of the user's own says itself.
const OF_GENERATED_EVENTS: &[&str] =
    &["name", "version", "key", "skip", "upcast", "no_upcast", "derive"];

/// The options of an emitting handler.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// An event of the user's own.
    pub(super) event: Option<Type>,
    pub(super) name: Option<LitStr>,
    /// Whether `name` was written, well or not.
    pub(super) names_itself: bool,
    pub(super) version: Option<(u32, Expr)>,
    pub(super) key: Option<Expr>,
    pub(super) input: Option<Vec<Ident>>,
    pub(super) skips: Vec<Place>,
    pub(super) output: Option<Type>,
    pub(super) with: Option<(Ident, Expr)>,
    pub(super) infallible: Option<Ident>,
    pub(super) upcast: Option<(Ident, Type)>,
    pub(super) no_upcast: Option<Ident>,
    /// Whether `upcast` or `no_upcast` was written, well or not.
    pub(super) settles_upcast: bool,
    pub(super) derives: Vec<Path>,
    pub(super) krate: Option<Path>,
    /// The options that only a generated event has.
    pub(super) of_generated: Vec<Ident>,
    /// Whether an option was not understood, so that others may seem to be missing.
    pub(super) incomplete: bool,
}

/// A field of the input or the output: `input.payment.card`.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) written: Expr,
    /// `input` or `output`, as it was written.
    pub(super) root: Ident,
    pub(super) path: Vec<Ident>,
}

/// Reads the options.
pub(super) fn options(tokens: TokenStream, errors: &mut Errors) -> Options {
    let (event, rest) = own_event(tokens);
    let mut options = Options { event, ..Options::default() };
    let entries = options::parse(rest, KNOWN, errors);
    options.incomplete = !errors.is_empty();
    for entry in entries {
        if OF_GENERATED_EVENTS.iter().any(|option| entry.name == option) {
            options.of_generated.push(entry.name.clone());
        }
        let stored = store(&entry, &mut options, errors);
        options.incomplete |= errors.take(stored).is_none();
    }
    options
}

/// The type that comes first, if one does: a path of several segments, or a name as types have
/// them. (Another name is an option, perhaps misspelt.)
fn own_event(tokens: TokenStream) -> (Option<Type>, TokenStream) {
    let parser = |input: ParseStream<'_>| {
        let event: Type = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((event, input.parse::<TokenStream>()?))
    };
    match parser.parse2(tokens.clone()) {
        Ok((event, rest)) if is_event(&event, &tokens) => (Some(event), rest),
        _ => (None, tokens),
    }
}

fn is_event(event: &Type, tokens: &TokenStream) -> bool {
    let from_macro_rules = matches!(
        tokens.clone().into_iter().next(),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None
    );
    match event {
        Type::Path(path) => path.path.get_ident().is_none_or(|ident| {
            from_macro_rules || ident.to_string().starts_with(char::is_uppercase)
        }),
        Type::Group(_) => true,
        _ => false,
    }
}

fn store(entry: &Entry, options: &mut Options, errors: &mut Errors) -> syn::Result<()> {
    match entry.name.to_string().as_str() {
        "name" => {
            options.names_itself = true;
            options.name = Some(entry.text()?.clone());
        }
        "version" => options.version = Some((entry.number()?, entry.expression()?.clone())),
        "key" => options.key = Some(entry.expression()?.clone()),
        "input" => options.input = Some(each::<Ident>(entry)?),
        "skip" => {
            for written in each::<Expr>(entry)? {
                options.skips.extend(errors.take(skipped(written)));
            }
        }
        "output" => options.output = Some(entry.ty()?.clone()),
        "with" => match entry.expression()? {
            with @ (Expr::Closure(_) | Expr::Path(_)) => {
                options.with = Some((entry.name.clone(), with.clone()));
            }
            _ => return Err(entry.misused()),
        },
        "infallible" => options.infallible = entry.flag().map(|()| Some(entry.name.clone()))?,
        "upcast" => {
            options.settles_upcast = true;
            options.upcast = Some((entry.name.clone(), entry.source()?));
        }
        "no_upcast" => {
            options.settles_upcast = true;
            options.no_upcast = entry.flag().map(|()| Some(entry.name.clone()))?;
        }
        "derive" => options.derives = each::<Path>(entry)?,
        "crate" => options.krate = Some(entry.path()?.clone()),
        other => unreachable!("option {other} is known and not read"),
    }
    Ok(())
}

fn each<T: syn::parse::Parse>(entry: &Entry) -> syn::Result<Vec<T>> {
    Punctuated::<T, Token![,]>::parse_terminated
        .parse2(entry.list()?)
        .map(|values| values.into_iter().collect())
        .map_err(|_| entry.misused())
}

fn skipped(written: Expr) -> syn::Result<Place> {
    match place(&written) {
        Some((root, path)) if !path.is_empty() => {
            Ok(Place { root: root.clone(), path: path.into_iter().cloned().collect(), written })
        }
        Some((root, _)) if root == "input" => Err(syn::Error::new_spanned(
            &written,
            "`skip` leaves out a field, as in `skip(input.card)`; to capture nothing, write no \
             `input(...)`",
        )),
        _ => {
            let hint = match as_path(&written).and_then(Path::get_ident) {
                Some(ident) if ident != "output" => format!("`skip(input.{ident})`"),
                _ => "`skip(input.card)` or `skip(output.token)`".to_owned(),
            };
            let message =
                format!("`{}` is no field of `input` or `output`: write {hint}", text(&written));
            Err(syn::Error::new_spanned(&written, message))
        }
    }
}

/// `input` or `output`, and the names of fields after it, if the expression is nothing else.
pub(super) fn place(expression: &Expr) -> Option<(&Ident, Vec<&Ident>)> {
    match expression {
        Expr::Field(field) => {
            let (root, mut path) = place(&field.base)?;
            let Member::Named(name) = &field.member else { return None };
            path.push(name);
            Some((root, path))
        }
        Expr::Group(group) => place(&group.expr),
        _ => {
            let root = as_path(expression)?.get_ident()?;
            (root == "input" || root == "output").then(|| (root, Vec::new()))
        }
    }
}
