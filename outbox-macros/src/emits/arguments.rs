//! What the arguments of an emitting handler are: its transaction, and the values that its event
//! can hold, with their types as far as pattern and type tell.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{FnArg, Pat, PatIdent, Token, Type};

use super::types::{check_owned, is_wrapper, wrapped};
use crate::diagnostics::{Errors, text};
use crate::function::Function;
use crate::types::{last_segment, ungroup};

/// The arguments of a handler.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) tx: Option<Tx>,
    /// What patterns bind, in their order, without the transaction.
    pub(super) bindings: Vec<Binding>,
    /// Whether an argument was not understood, so that others may seem to be missing.
    pub(super) incomplete: bool,
}

/// The transaction.
#[derive(Debug)]
pub(super) struct Tx {
    pub(super) ident: Ident,
    pub(super) mutability: Option<Token![mut]>,
    pub(super) form: TxForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TxForm {
    /// `OutboxTx<DB>`, which is to be begun.
    Lazy,
    /// `Tx<'_, DB>`.
    Owned,
    /// `&mut Tx<'_, DB>`.
    Borrowed,
}

/// A variable that an argument's pattern binds.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) ident: Ident,
    /// How to get a reference to the value.
    access: Access,
    /// What an event holds of it, or why it cannot.
    pub(super) captured: Result<Captured, String>,
}

#[derive(Clone, Copy, Debug)]
enum Access {
    Itself,
    Dereferenced,
}

/// What an event holds of a value.
#[derive(Clone, Debug)]
pub(super) enum Captured {
    Value(Type),
    /// A `String`, from `&str`.
    Text,
    /// A `Vec<T>`, from `&[T]`.
    Slice(Type),
}

impl Binding {
    /// A reference to the value. Errors about it, such as that it is gone, are shown where it is
    /// wanted.
    pub(super) fn reference(&self, wanted: Span) -> TokenStream {
        let mut ident = self.ident.clone();
        ident.set_span(wanted.resolved_at(ident.span()));
        let wanted = wanted.resolved_at(Span::mixed_site());
        match self.access {
            Access::Itself => quote_spanned! {wanted=> &#ident },
            Access::Dereferenced => quote_spanned! {wanted=> &*#ident },
        }
    }

    /// The type of the reference, as far as it can be told.
    pub(super) fn shown(&self) -> String {
        match &self.captured {
            Ok(Captured::Value(value)) => format!("&{}", text(value)),
            Ok(Captured::Text) => "&str".to_owned(),
            Ok(Captured::Slice(element)) => format!("&[{}]", text(element)),
            Err(_) => "&_".to_owned(),
        }
    }
}

/// Reads the arguments.
pub(super) fn read(function: &Function, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let parameters = function.parameters();
    for input in &function.signature.inputs {
        let typed = match input {
            FnArg::Typed(typed) => typed,
            FnArg::Receiver(receiver) => {
                errors.at(
                    receiver,
                    "`#[emits]` goes on a free `async fn`: take what is needed of `self` as \
                     arguments; the method can call the function",
                );
                arguments.incomplete = true;
                continue;
            }
        };
        match errors.take(tx_form(&typed.ty)) {
            Some(Some(form)) => add_tx(&mut arguments, &typed.pat, &typed.ty, form, errors),
            Some(None) => bind(&typed.pat, Some(&typed.ty), &parameters, &mut arguments.bindings),
            None => arguments.incomplete = true,
        }
    }
    arguments
}

fn add_tx(
    arguments: &mut Arguments,
    pattern: &Pat,
    written: &Type,
    form: TxForm,
    errors: &mut Errors,
) {
    if arguments.tx.is_some() {
        let message = "an event is emitted in one transaction: take the other one away";
        return errors.at(written, message);
    }
    match pattern {
        Pat::Ident(PatIdent { ident, mutability, by_ref: None, subpat: None, .. }) => {
            arguments.tx = Some(Tx { ident: ident.clone(), mutability: *mutability, form });
        }
        _ => {
            arguments.incomplete = true;
            let message = format!(
                "the event is emitted in this transaction, which needs a name: write `tx: {}`",
                text(written)
            );
            errors.at(pattern, message);
        }
    }
}

/// Whether a type is that of a transaction.
fn tx_form(written: &Type) -> syn::Result<Option<TxForm>> {
    if let Type::Reference(reference) = ungroup(written) {
        let Some(last) = last_segment(&reference.elem) else { return Ok(None) };
        let inner = text(&reference.elem);
        return match (last.ident.to_string().as_str(), &reference.mutability) {
            ("Tx", Some(_)) => Ok(Some(TxForm::Borrowed)),
            ("Tx", None) => Err(syn::Error::new_spanned(
                written,
                format!("emitting writes in the transaction: take `&mut {inner}`"),
            )),
            ("OutboxTx", _) => Err(syn::Error::new_spanned(
                written,
                format!(
                    "an `OutboxTx` is the function's own, which commits it: take `{inner}` by \
                     value, or `&mut Tx<'_, DB>` for one that the caller commits"
                ),
            )),
            _ => Ok(None),
        };
    }
    Ok(match last_segment(written) {
        Some(last) if last.ident == "OutboxTx" => Some(TxForm::Lazy),
        Some(last) if last.ident == "Tx" => Some(TxForm::Owned),
        _ => None,
    })
}

/// Adds what a pattern binds; the type is that of the whole pattern, where it can be told.
fn bind(pattern: &Pat, ty: Option<&Type>, parameters: &[String], bindings: &mut Vec<Binding>) {
    let ty = ty.map(ungroup);
    match pattern {
        Pat::Ident(PatIdent { ident, by_ref, subpat, .. }) => {
            let (access, captured) = value(ident, ty, parameters);
            let access = if by_ref.is_some() { Access::Dereferenced } else { access };
            bindings.push(Binding { ident: ident.clone(), access, captured });
            if let Some((_, inner)) = subpat {
                bind(inner, ty, parameters, bindings);
            }
        }
        Pat::Paren(paren) => bind(&paren.pat, ty, parameters, bindings),
        Pat::Reference(reference) => {
            let inner = match ty {
                Some(Type::Reference(ty)) => Some(&*ty.elem),
                _ => None,
            };
            bind(&reference.pat, inner, parameters, bindings);
        }
        Pat::TupleStruct(wrapper) => {
            let inner = ty.filter(|_| is_wrapper(&wrapper.path)).and_then(wrapped);
            wrapper.elems.iter().for_each(|element| bind(element, inner, parameters, bindings));
        }
        Pat::Tuple(tuple) => {
            let types: Vec<Option<&Type>> = match ty {
                Some(Type::Tuple(ty)) if ty.elems.len() == tuple.elems.len() => {
                    ty.elems.iter().map(Some).collect()
                }
                _ => vec![None; tuple.elems.len()],
            };
            for (element, ty) in tuple.elems.iter().zip(types) {
                bind(element, ty, parameters, bindings);
            }
        }
        Pat::Struct(pattern) => {
            pattern.fields.iter().for_each(|field| bind(&field.pat, None, parameters, bindings));
        }
        Pat::Slice(slice) => {
            slice.elems.iter().for_each(|element| bind(element, None, parameters, bindings));
        }
        Pat::Or(or) => {
            or.cases.first().into_iter().for_each(|case| bind(case, None, parameters, bindings));
        }
        _ => {}
    }
}

/// How a reference to the variable's value is had, and what an event holds of it.
fn value(
    ident: &Ident,
    ty: Option<&Type>,
    parameters: &[String],
) -> (Access, Result<Captured, String>) {
    let Some(ty) = ty else {
        let why = format!(
            "the type of `{ident}` cannot be told from its pattern: take the argument whole, as in \
             `order: PlaceOrder`, and take it apart in the body"
        );
        return (Access::Itself, Err(why));
    };
    let (access, inner) = match ty {
        Type::Reference(reference) => (Access::Dereferenced, ungroup(&reference.elem)),
        _ => (Access::Itself, ty),
    };
    match inner {
        Type::Path(path) if path.path.is_ident("str") => (access, Ok(Captured::Text)),
        Type::Slice(slice) => {
            let captured = check_owned(&slice.elem, parameters);
            (access, captured.map(|()| Captured::Slice((*slice.elem).clone())))
        }
        _ => {
            let held = wrapped(inner);
            let access = if held.is_some() { Access::Dereferenced } else { access };
            let held = held.unwrap_or(inner);
            (access, check_owned(held, parameters).map(|()| Captured::Value(held.clone())))
        }
    }
}
