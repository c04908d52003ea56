//! What an emitting handler must fulfil: its function, its options, and both together.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Expr, LitStr, Type};

use super::arguments::{Arguments, Binding, Tx};
use super::output::{self, Output};
use super::parse::Options;
use super::{event, key};
use crate::diagnostics::{Errors, check_closure, did_you_mean, list, text};
use crate::function::Function;
use crate::name::Named;
use crate::version::Versioned;

/// The most references that `with` can be given: what the runtime has functions for.
const MOST_REFERENCES: usize = 9;

/// A handler without mistakes.
pub(super) struct Handler<'a> {
    pub(super) function: &'a Function,
    pub(super) options: &'a Options,
    pub(super) tx: &'a Tx,
    /// What becomes part of the event.
    pub(super) captured: Vec<&'a Binding>,
    pub(super) output: Output,
    pub(super) event: Event<'a>,
}

/// The event of a handler.
pub(super) enum Event<'a> {
    Generated { ident: Ident, name: &'a LitStr, version: u32 },
    Own { event: &'a Type, with: &'a Expr },
}

/// Checks everything; `None` where something is missing.
pub(super) fn handler<'a>(
    function: &'a Function,
    options: &'a Options,
    arguments: &'a Arguments,
    errors: &mut Errors,
) -> Option<Handler<'a>> {
    let signature = &function.signature;
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "handlers that emit are async: write `async fn`");
        return None;
    }
    if arguments.tx.is_none() && !arguments.incomplete {
        errors.at(
            &signature.ident,
            "an event is emitted in a transaction: add `tx: OutboxTx<DB>`, which is committed when \
             the function has returned, or `tx: &mut Tx<'_, DB>`, which the caller commits",
        );
    }
    let output = output::read(function, options, errors);
    let captured = captured(options, arguments, errors);
    let event = match &options.event {
        Some(event) => own(event, options, errors),
        None => {
            check_types(&captured, options, errors);
            generated(function, options, &captured, &output, errors)
        }
    };
    let (tx, output, event) = (arguments.tx.as_ref()?, output?, event?);
    if let Event::Own { event, with } = &event {
        check_with(event, with, &captured, &output, errors);
    }
    Some(Handler { function, options, tx, captured, output, event })
}

/// The bindings that are captured: those of `input(...)`; for an event of the user's own, all of
/// them if there is none.
fn captured<'a>(
    options: &Options,
    arguments: &'a Arguments,
    errors: &mut Errors,
) -> Vec<&'a Binding> {
    let Some(input) = &options.input else {
        let all = options.event.is_some();
        return arguments.bindings.iter().filter(|_| all).collect();
    };
    let mut captured: Vec<&Binding> = Vec::new();
    for name in input {
        match arguments.bindings.iter().find(|binding| binding.ident == *name) {
            Some(_) if captured.iter().any(|earlier| earlier.ident == *name) => {
                errors.at(name, format!("`{name}` is twice in `input`"));
            }
            Some(binding) => captured.push(binding),
            None => errors.at(name, no_argument(name, arguments)),
        }
    }
    captured
}

fn no_argument(name: &Ident, arguments: &Arguments) -> String {
    if arguments.tx.as_ref().is_some_and(|tx| tx.ident == *name) {
        return format!("`{name}` is the transaction, which is not part of an event");
    }
    let names: Vec<String> =
        arguments.bindings.iter().map(|binding| binding.ident.unraw().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = match did_you_mean(&name.to_string(), "arguments", &names) {
        // With one argument, "the arguments are" would be odd.
        listed if names.len() == 1 && !listed.contains("did you mean") => {
            format!("; there is only {}", list(&names))
        }
        hint => hint,
    };
    format!("no argument `{name}`{hint}")
}

/// In a generated event, the types of what is captured are those of fields.
fn check_types(captured: &[&Binding], options: &Options, errors: &mut Errors) {
    for binding in captured {
        let written = options.input.iter().flatten().find(|name| **name == binding.ident);
        if let (Err(why), Some(written)) = (&binding.captured, written) {
            errors.at(written, format!("what is captured becomes part of the event: {why}"));
        }
    }
}

fn own<'a>(event: &'a Type, options: &'a Options, errors: &mut Errors) -> Option<Event<'a>> {
    let shown = text(event);
    for option in &options.of_generated {
        errors.at(
            option,
            format!(
                "`{option}` contradicts `{shown}`, an event of your own: its `#[event(...)]` says \
                 everything about it, and `with` what is in it"
            ),
        );
    }
    let Some((_, with)) = &options.with else {
        if !options.incomplete {
            errors.at(
                event,
                format!(
                    "how is `{shown}` made? Add `with = |order: &PlaceOrder, output: &Order| \
                     {shown} {{ ... }}`, with a reference to each argument and to the output"
                ),
            );
        }
        return None;
    };
    Some(Event::Own { event, with })
}

/// What makes an event of the user's own takes a reference to all that is captured and the output.
fn check_with(
    event: &Type,
    with: &Expr,
    captured: &[&Binding],
    output: &Output,
    errors: &mut Errors,
) {
    let references = captured.len() + usize::from(output.is_some());
    if references > MOST_REFERENCES {
        let message = format!(
            "`with` can be given {MOST_REFERENCES} references, and these are {references}: name \
             those that it needs in `input(...)`"
        );
        return errors.at(with, message);
    }
    let shape = || {
        let output = output.as_ref().map(|output| format!("&{}", text(output)));
        let given: Vec<String> =
            captured.iter().map(|binding| binding.shown()).chain(output).collect();
        format!("`with` must be `Fn({}) -> {}`", given.join(", "), text(event))
    };
    // After an error, what is captured may only seem to be less.
    if errors.is_empty() {
        check_closure(with, references, shape, errors);
    }
}

fn generated<'a>(
    function: &Function,
    options: &'a Options,
    captured: &[&Binding],
    output: &Option<Output>,
    errors: &mut Errors,
) -> Option<Event<'a>> {
    if let Some((with, _)) = &options.with {
        errors.at(
            with,
            "`with` makes an event of your own: name its type first, as in \
             `#[emits(OrderPlaced, with = ...)]`",
        );
        return None;
    }
    let ident = event::ident(function);
    let named = Named {
        what: "event",
        name: options.name.as_ref(),
        is_settled: options.names_itself || options.incomplete,
    };
    let how = "`#[emits(name = \"rpc.orders.place\")]` (names are permanent, so never taken from the \
               function), or emit an event of your own: `#[emits(OrderPlaced, with = ...)]`";
    let name = named.check(&function.signature.ident, how, errors);
    let declared = Versioned {
        version: options.version.as_ref(),
        upcast: options.upcast.as_ref().map(|(option, _)| option),
        no_upcast: options.no_upcast.as_ref(),
        is_settled: options.settles_upcast || options.incomplete,
    };
    let version = declared.check(&ident.to_string(), errors);
    check_derives(options, errors);
    // After an error in `input(...)` nothing more can be said about what is captured.
    let all_captured = options.input.as_ref().map_or(0, Vec::len) == captured.len();
    if let (Some(output), true) = (output, all_captured && !options.incomplete) {
        let names: Vec<&Ident> = captured.iter().map(|binding| &binding.ident).collect();
        check_skips(options, &names, output.is_some(), errors);
        key::check(options, &names, output.is_some(), errors);
    }
    Some(Event::Generated { ident, name: name?, version: version? })
}

fn check_derives(options: &Options, errors: &mut Errors) {
    for derive in &options.derives {
        let last = derive.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if ["Event", "Serialize", "Deserialize", "JsonSchema"].contains(&last.as_str()) {
            errors.at(derive, format!("the event implements `{last}` already"));
        }
    }
}

fn check_skips(options: &Options, captured: &[&Ident], has_output: bool, errors: &mut Errors) {
    for (index, skip) in options.skips.iter().enumerate() {
        let earlier = &options.skips[..index];
        let shown = text(&skip.written);
        if skip.root == "input" && captured.is_empty() {
            let message = format!(
                "nothing of the input is captured, so `{shown}` is left out already: take it away, \
                 or add `input(...)`"
            );
            errors.at(&skip.written, message);
        } else if skip.root == "output" && !has_output {
            let message = "the function returns nothing, so that there is no `output`";
            errors.at(&skip.written, message);
        } else if earlier.iter().any(|earlier| text(&earlier.written) == shown) {
            errors.at(&skip.written, format!("`{shown}` is twice in `skip`"));
        }
    }
}
