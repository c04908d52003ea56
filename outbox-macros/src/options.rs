//! The options of an attribute: `name`, `name = value` and `name(...)`, separated by commas.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token, Type, token};

use crate::diagnostics::{Errors, did_you_mean};

/// An option that an attribute knows: its name, and an example of its use for messages.
pub(crate) type Known = (&'static str, &'static str);

/// One option as it was written.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Ident,
    pub(crate) value: Value,
    usage: &'static str,
}

#[derive(Debug)]
pub(crate) enum Value {
    Flag,
    Assigned(Box<Expr>),
    Type(Box<Type>),
    List(TokenStream),
}

/// The options whose value is a type: `Vec<Order>` is no expression.
const TYPES: &[&str] = &["output"];

/// Reads options. Those that are unknown, given twice or malformed become errors; the others
/// are returned.
pub(crate) fn parse(tokens: TokenStream, known: &[Known], errors: &mut Errors) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let parsed = (|input: ParseStream<'_>| {
        while !input.is_empty() {
            match parse_entry(input, known) {
                Ok(entry) if entries.iter().any(|earlier| earlier.name == entry.name) => {
                    errors.at(&entry.name, format!("`{}` given twice", entry.name));
                }
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    errors.push(error);
                    skip_to_comma(input)?;
                }
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                errors.push(input.error("expected `,` between options"));
                skip_to_comma(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
        }
        Ok(())
    })
    .parse2(tokens);
    errors.take(parsed);
    entries
}

fn parse_entry(input: ParseStream<'_>, known: &[Known]) -> syn::Result<Entry> {
    if !input.peek(syn::Ident::peek_any) {
        return Err(not_an_option(input, known));
    }
    let name = input.call(Ident::parse_any)?;
    let Some((_, usage)) = known.iter().find(|(option, _)| name == option) else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let hint = did_you_mean(&name.to_string(), "options", &names);
        return Err(syn::Error::new_spanned(&name, format!("unknown option `{name}`{hint}")));
    };
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            let message = format!("`{name}` has no value: write `{usage}`");
            return Err(syn::Error::new_spanned(&name, message));
        }
        let ahead = input.fork();
        let value = if TYPES.iter().any(|option| name == option) {
            Value::Type(Box::new(ahead.parse()?))
        } else {
            Value::Assigned(Box::new(ungroup(ahead.parse()?)))
        };
        input.advance_to(&ahead);
        value
    } else if input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        Value::List(content.parse()?)
    } else {
        Value::Flag
    };
    Ok(Entry { name, value, usage })
}

fn not_an_option(input: ParseStream<'_>, known: &[Known]) -> syn::Error {
    let usage = known.first().map_or("", |(_, usage)| *usage);
    match input.fork().parse::<LitStr>() {
        Ok(literal) => syn::Error::new_spanned(
            &literal,
            format!("options have names: write `name = {}`", literal.token()),
        ),
        Err(_) => input.error(format!("expected an option, such as `{usage}`")),
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// What macro_rules wraps around fragments is taken off.
fn ungroup(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => ungroup(*group.expr),
        other => other,
    }
}

impl Entry {
    /// An error that shows how the option is written.
    pub(crate) fn misused(&self) -> syn::Error {
        let message = if self.name == self.usage {
            format!("`{0}` takes no value: write `{0}`, or leave it out", self.name)
        } else {
            format!("`{}` is written `{}`", self.name, self.usage)
        };
        match &self.value {
            Value::Assigned(value) => syn::Error::new_spanned(value, message),
            Value::Type(value) => syn::Error::new_spanned(value, message),
            Value::List(list) if !list.is_empty() => syn::Error::new_spanned(list, message),
            Value::List(_) | Value::Flag => syn::Error::new_spanned(&self.name, message),
        }
    }

    /// `name`.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        match &self.value {
            Value::Flag => Ok(()),
            Value::Assigned(_) | Value::Type(_) | Value::List(_) => Err(self.misused()),
        }
    }

    /// `name = <type>`.
    pub(crate) fn ty(&self) -> syn::Result<&Type> {
        match &self.value {
            Value::Type(value) => Ok(value),
            Value::Flag | Value::Assigned(_) | Value::List(_) => Err(self.misused()),
        }
    }

    /// `name = <expression>`.
    pub(crate) fn expression(&self) -> syn::Result<&Expr> {
        match &self.value {
            Value::Assigned(value) => Ok(value),
            Value::Flag | Value::Type(_) | Value::List(_) => Err(self.misused()),
        }
    }

    /// `name = "text"`.
    pub(crate) fn text(&self) -> syn::Result<&LitStr> {
        as_text(self.expression()?).ok_or_else(|| self.misused())
    }

    /// `name = "text"`, read by a function whose message becomes the error.
    pub(crate) fn parsed<T>(&self, read: impl Fn(&str) -> Result<T, String>) -> syn::Result<T> {
        let text = self.text()?;
        read(&text.value()).map_err(|message| syn::Error::new_spanned(text, message))
    }

    /// `name = 7`.
    pub(crate) fn number(&self) -> syn::Result<u32> {
        match self.expression()? {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse(),
            _ => Err(self.misused()),
        }
    }

    /// `name = 7`, at least 1.
    pub(crate) fn positive(&self) -> syn::Result<u32> {
        match self.number()? {
            0 => {
                let message = format!("`{}` is at least 1", self.name);
                Err(syn::Error::new_spanned(self.expression()?, message))
            }
            number => Ok(number),
        }
    }

    /// `name = some::path`.
    pub(crate) fn path(&self) -> syn::Result<&Path> {
        as_path(self.expression()?).ok_or_else(|| self.misused())
    }

    /// `name = word`, one of these. (Keywords such as `continue` are words as well.)
    pub(crate) fn word(&self, words: &[&'static str]) -> syn::Result<&'static str> {
        let value = self.expression()?;
        let written =
            as_text(value).map_or_else(|| value.to_token_stream().to_string(), LitStr::value);
        match words.iter().find(|word| **word == written) {
            Some(word) if as_text(value).is_none() => Ok(word),
            Some(word) => {
                let message = format!("write `{} = {word}`, without quotes", self.name);
                Err(syn::Error::new_spanned(value, message))
            }
            None => {
                let hint = did_you_mean(&written, "choices", words);
                let message = format!("unknown `{}` {}{hint}", self.name, value.to_token_stream());
                Err(syn::Error::new_spanned(value, message))
            }
        }
    }

    /// `name(from = <type>)`.
    pub(crate) fn source(&self) -> syn::Result<Type> {
        let parser = |input: ParseStream<'_>| {
            let from: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let source: Type = input.parse()?;
            input.parse::<Option<Token![,]>>()?;
            if from == "from" { Ok(source) } else { Err(self.misused()) }
        };
        parser.parse2(self.list()?).map_err(|_| self.misused())
    }

    /// `name(...)`, not empty.
    pub(crate) fn list(&self) -> syn::Result<TokenStream> {
        match &self.value {
            Value::List(list) if !list.is_empty() => Ok(list.clone()),
            _ => Err(self.misused()),
        }
    }
}

/// The string literal that an expression is.
pub(crate) fn as_text(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}

/// The path that an expression is.
pub(crate) fn as_path(value: &Expr) -> Option<&Path> {
    match value {
        Expr::Path(path) if path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}
