//! What a consumer must fulfil: its function, its options, and both together.

use syn::{GenericParam, LitStr, ReturnType, Signature, Type};

use super::arguments::{Arguments, Form};
use super::parse::{Delay, Options};
use crate::diagnostics::{Errors, check_closure, text};
use crate::function::Function;
use crate::name::Named;

/// A consumer without mistakes.
pub(super) struct Consumer<'a> {
    pub(super) function: &'a Function,
    pub(super) name: &'a LitStr,
    pub(super) options: &'a Options,
    pub(super) arguments: &'a Arguments,
    pub(super) event: &'a Type,
    pub(super) handler: Handler<'a>,
}

/// Which of the runtime's handlers the function is.
#[derive(Clone, Copy)]
pub(super) enum Handler<'a> {
    Each,
    Batch,
    Tx(&'a Type),
}

/// Checks everything; `None` where something is missing.
pub(super) fn consumer<'a>(
    function: &'a Function,
    options: &'a Options,
    arguments: &'a Arguments,
    errors: &mut Errors,
) -> Option<Consumer<'a>> {
    let is_async = check_signature(&function.signature, errors);
    let named = Named {
        what: "consumer",
        name: options.name.as_ref(),
        is_settled: options.names_itself || options.incomplete,
    };
    let how = "`#[consumer(name = \"email.receipt\")]` (names are permanent, so never taken from the \
               function)";
    let name = named.check(&function.signature.ident, how, errors);
    check_contradictions(options, errors);
    let (event, form, written) = arguments.event()?;
    check_batch(options, event, form, written, errors);
    check_tx(function, options, arguments, errors);
    check_closures(options, event, errors);
    let handler = match (form, arguments.tx()) {
        (Form::Batch, _) => Handler::Batch,
        (_, Some((database, _))) => Handler::Tx(database),
        (_, None) => Handler::Each,
    };
    is_async.then_some(())?;
    Some(Consumer { function, name: name?, options, arguments, event, handler })
}

fn check_signature(signature: &Signature, errors: &mut Errors) -> bool {
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "consumers are async: write `async fn`");
        return false;
    }
    if let Some(unsafety) = &signature.unsafety {
        errors.at(unsafety, "consumers are safe functions: the worker calls them");
    }
    let parameter =
        signature.generics.params.iter().find(|p| !matches!(p, GenericParam::Lifetime(_)));
    if let Some(parameter) = parameter {
        errors.at(
            parameter,
            "consumers are not generic: name the event, and the database as in `tx: &mut Tx<'_, \
             Postgres>`",
        );
    }
    if let ReturnType::Type(_, returned) = &signature.output
        && let Type::ImplTrait(hidden) = &**returned
    {
        errors
            .at(hidden, "name the type that the consumer returns: `Result<(), Error>` or nothing");
    }
    true
}

fn check_contradictions(options: &Options, errors: &mut Errors) {
    if let (Some(tx), Some(batch)) = (&options.tx, &options.batch) {
        errors.at(
            batch,
            format!(
                "`batch` contradicts `{tx} = tx`: a batch is handled at once, outside; in the \
                     database, events share transactions already, one handled after another"
            ),
        );
    } else if let (Some(_), Some(batch)) = (&options.ordered, &options.batch) {
        errors.at(
            batch,
            "`batch` contradicts `ordered`: a batch is handled at once, ordered events of one key \
             one after another",
        );
    }
    if let (Some(tx), Some((concurrency, _))) = (&options.tx, &options.concurrency) {
        errors.at(
            concurrency,
            format!(
                "`concurrency` contradicts `{tx} = tx`: the events of one transaction are \
                     handled one after another; for more at once, raise `shards`"
            ),
        );
    }
    if let (None, Some((on_dead, _))) = (&options.ordered, &options.on_dead) {
        errors.at(
            on_dead,
            "`on_dead` says what happens to the later events of a dead letter's key, and only \
             ordered consumers keep them back: add `ordered`, or remove `on_dead`",
        );
    }
}

fn check_batch(options: &Options, event: &Type, form: Form, written: &Type, errors: &mut Errors) {
    let event = text(event);
    match (&options.batch, form) {
        (Some(_), Form::ByValue | Form::Delivery) if options.tx.is_none() => {
            errors.at(written, format!("a consumer with `batch(...)` takes `Batch<{event}>`"))
        }
        (None, Form::Batch) if !options.incomplete && options.tx.is_some() => errors.at(
            written,
            format!(
                "a consumer with `delivery = tx` takes `Delivery<{event}>`: its events share \
                     transactions already, one handled after another"
            ),
        ),
        (None, Form::Batch) if !options.incomplete => errors.at(
            written,
            format!(
                "a consumer of `Batch<{event}>` says how many at a time: add `batch(max = 500, \
                     wait = \"1s\")`, or take `Delivery<{event}>`"
            ),
        ),
        _ => {}
    }
}

fn check_tx(function: &Function, options: &Options, arguments: &Arguments, errors: &mut Errors) {
    match (&options.tx, arguments.tx()) {
        (Some(_), None) if !arguments.incomplete && options.batch.is_none() => errors.at(
            &function.signature.ident,
            "a consumer with `delivery = tx` works in the transaction that records its progress: \
             add `tx: &mut Tx<'_, DB>`, with `Postgres` or `Sqlite` for `DB`",
        ),
        (None, Some((_, written))) if options.batch.is_some() => errors.at(
            written,
            "a batch is handled outside, without a transaction: take the argument away, or write \
             `delivery = tx` instead of `batch(...)` to handle one event after another in the \
             database",
        ),
        (None, Some((_, written))) if !options.incomplete => errors.at(
            written,
            "a consumer with a transaction works in the database, exactly once: add `delivery = \
             tx`, or take the argument away to work outside",
        ),
        _ => {}
    }
}

/// The functions that are asked about an event.
fn check_closures(options: &Options, event: &Type, errors: &mut Errors) {
    let event = text(event);
    if let Some(when) = &options.when {
        check_closure(when, 1, || format!("`when` must be `Fn(&{event}) -> bool`"), errors);
    }
    if let Some(Delay::ByEvent(delay)) = &options.delay {
        check_closure(delay, 1, || format!("`delay` must be `Fn(&{event}) -> Duration`"), errors);
    }
}
