//! What the arguments of a consumer's function are, told by their types.

use syn::{FnArg, PatType, PathSegment, Type};

use crate::diagnostics::{Errors, text};
use crate::function::Function;
use crate::types::{parameters, ungroup};

const USAGE: &str = "a consumer takes one `Delivery<E>`, `Batch<E>` or event: write `async fn \
                     receipt(order: Delivery<OrderPlaced>) -> Result<(), Error>`";

/// The arguments of a consumer, in their order.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) all: Vec<Argument>,
    /// Whether an argument was not understood, so that others may seem to be missing.
    pub(super) incomplete: bool,
}

/// One argument.
#[derive(Debug)]
pub(super) enum Argument {
    Event { event: Type, form: Form, written: Type },
    State { part: Type },
    Context { written: Type },
    Tx { database: Type, written: Type },
}

/// How the function receives its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    ByValue,
    Delivery,
    Batch,
}

impl Arguments {
    /// The event that the function takes first.
    pub(super) fn event(&self) -> Option<(&Type, Form, &Type)> {
        self.all.iter().find_map(|argument| match argument {
            Argument::Event { event, form, written } => Some((event, *form, written)),
            _ => None,
        })
    }

    /// The transaction that the function takes first: the database, and the type as written.
    pub(super) fn tx(&self) -> Option<(&Type, &Type)> {
        self.all.iter().find_map(|argument| match argument {
            Argument::Tx { database, written } => Some((database, written)),
            _ => None,
        })
    }

    /// The parts of the state that the function takes.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Type> {
        self.all.iter().filter_map(|argument| match argument {
            Argument::State { part } => Some(part),
            _ => None,
        })
    }
}

/// Reads the arguments and checks that they are neither too few nor too many.
pub(super) fn read(function: &Function, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    for input in &function.signature.inputs {
        let argument = match input {
            FnArg::Receiver(receiver) => Err(syn::Error::new_spanned(
                receiver,
                "consumers are free functions: take the application's state as `State(mailer): \
                 State<Mailer>` instead of `self`",
            )),
            FnArg::Typed(typed) => always(typed).and_then(|typed| argument(&typed.ty)),
        };
        match errors.take(argument) {
            Some(argument) => add(&mut arguments, argument, errors),
            None => arguments.incomplete = true,
        }
    }
    if arguments.event().is_none() && !arguments.incomplete {
        errors.at(&function.signature.ident, USAGE);
    }
    arguments
}

/// An argument that is there whatever features are on, since what calls the function cannot tell.
fn always(typed: &PatType) -> syn::Result<&PatType> {
    match typed.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        Some(condition) => Err(syn::Error::new_spanned(
            condition,
            "an argument of a consumer is not conditional: put `#[cfg(...)]` on two consumers",
        )),
        None => Ok(typed),
    }
}

fn add(arguments: &mut Arguments, argument: Argument, errors: &mut Errors) {
    match &argument {
        Argument::Event { form, written, .. } => {
            if let Some((_, earlier, _)) = arguments.event() {
                errors.at(written, second_event(earlier, *form, written));
            }
        }
        Argument::Tx { written, .. } if arguments.tx().is_some() => {
            errors.at(
                written,
                "a consumer works in one transaction: the one that records its progress",
            );
        }
        Argument::Context { written }
            if arguments.all.iter().any(|other| matches!(other, Argument::Context { .. })) =>
        {
            errors.at(written, "a consumer takes one `Context`");
        }
        _ => {}
    }
    arguments.all.push(argument);
}

fn second_event(earlier: Form, form: Form, written: &Type) -> String {
    let mut message = "a consumer handles one event type: write a consumer for each".to_owned();
    if form == Form::ByValue || earlier == Form::ByValue {
        let example = match form {
            Form::ByValue => text(written),
            Form::Delivery | Form::Batch => "T".to_owned(),
        };
        message += &format!(
            " (a part of the application's state is taken as `State(part): State<{example}>`)"
        );
    }
    message
}

fn argument(written: &Type) -> syn::Result<Argument> {
    let written = ungroup(written);
    match written {
        Type::Reference(reference) => borrowed(written, reference),
        Type::Path(path) if path.qself.is_none() => path
            .path
            .segments
            .last()
            .map_or_else(|| Ok(by_value(written)), |last| owned(written, last)),
        Type::Path(_) => Ok(by_value(written)),
        _ => Err(syn::Error::new_spanned(
            written,
            "not an argument of a consumer: it takes one `Delivery<E>`, `Batch<E>` or event, and \
             optionally `State<T>`s, `Context` and `&mut Tx<'_, DB>`",
        )),
    }
}

fn owned(written: &Type, last: &PathSegment) -> syn::Result<Argument> {
    let parameter = parameters(last).last();
    let event = |form| {
        parameter.map(|event| Argument::Event {
            event: event.clone(),
            form,
            written: written.clone(),
        })
    };
    let argument = match last.ident.to_string().as_str() {
        "Delivery" => event(Form::Delivery),
        "Batch" => event(Form::Batch),
        "State" => parameter.map(|part| Argument::State { part: part.clone() }),
        "Context" if last.arguments.is_none() => {
            Some(Argument::Context { written: written.clone() })
        }
        "Tx" | "OutboxTx" if parameter.is_some() => {
            return Err(borrow_the_tx(written, parameter));
        }
        _ => None,
    };
    Ok(argument.unwrap_or_else(|| by_value(written)))
}

fn borrowed(written: &Type, reference: &syn::TypeReference) -> syn::Result<Argument> {
    if let Type::Path(path) = ungroup(&reference.elem)
        && let Some(last) = path.path.segments.last()
        && last.ident == "Tx"
        && let Some(database) = parameters(last).last()
    {
        if reference.mutability.is_none() {
            return Err(borrow_the_tx(written, Some(database)));
        }
        return Ok(Argument::Tx { database: database.clone(), written: written.clone() });
    }
    let owned = text(&reference.elem);
    let message = format!(
        "a consumer owns its arguments: write `{owned}` (only the transaction is borrowed: `tx: \
         &mut Tx<'_, DB>`)"
    );
    Err(syn::Error::new_spanned(written, message))
}

fn borrow_the_tx(written: &Type, database: Option<&Type>) -> syn::Error {
    let database = database.map_or_else(|| "DB".to_owned(), text);
    let message = format!(
        "the transaction is the worker's, which commits it with the consumer's progress: write \
         `tx: &mut Tx<'_, {database}>`"
    );
    syn::Error::new_spanned(written, message)
}

fn by_value(written: &Type) -> Argument {
    Argument::Event { event: written.clone(), form: Form::ByValue, written: written.clone() }
}
