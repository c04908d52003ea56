//! What an emitting handler returns: whether it can fail, and the type of its output.

use syn::{ReturnType, Type};

use super::parse::Options;
use super::types::{check_owned, wrapped};
use crate::diagnostics::{Errors, text};
use crate::function::Function;
use crate::types::{last_segment, parameters, ungroup};

/// The type of the output; `None` if there is nothing to say about it, as it is `()`.
pub(super) type Output = Option<Type>;

/// Reads the return type; `None` if it has a mistake.
pub(super) fn read(function: &Function, options: &Options, errors: &mut Errors) -> Option<Output> {
    let returned = match &function.signature.output {
        ReturnType::Type(_, returned) => Some(ungroup(returned)),
        ReturnType::Default => None,
    };
    let result = returned.filter(|returned| is_result(returned));
    match (result, &options.infallible) {
        (None, None) if options.incomplete => return None,
        (None, None) => {
            let message = format!(
                "there is nothing to roll back on: return `Result<{}, E>`, whose `Err` is no \
                 event; or add `infallible`, if every return is one",
                returned.map_or_else(|| "()".to_owned(), shown_output)
            );
            match returned {
                Some(returned) => errors.at(returned, message),
                None => errors.at(&function.signature.ident, message),
            }
            return None;
        }
        (Some(_), Some(infallible)) => {
            errors.at(
                infallible,
                "`infallible` contradicts `Result`: the first says that every return is an event, \
                 the second that an `Err` is none",
            );
            return None;
        }
        _ => {}
    }
    if let Some(output) = &options.output {
        return owned(output, output, function, errors);
    }
    let held = match (result, returned) {
        (Some(result), _) => match last_segment(result).and_then(|last| parameters(last).next()) {
            Some(success) => success,
            None => {
                let message = format!(
                    "the output is hidden in `{}`: return `Result<T, E>`, or say what it is with \
                     `output = T`",
                    text(result)
                );
                errors.at(result, message);
                return None;
            }
        },
        (None, Some(returned)) => returned,
        (None, None) => return Some(None),
    };
    owned(held, innermost(held), function, errors)
}

fn is_result(returned: &Type) -> bool {
    last_segment(returned).is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

/// The last element of a tuple, and what a wrapper holds.
fn innermost(held: &Type) -> &Type {
    match ungroup(held) {
        Type::Tuple(tuple) => tuple.elems.last().map_or(held, innermost),
        other => wrapped(other).map_or(other, innermost),
    }
}

fn owned(held: &Type, output: &Type, function: &Function, errors: &mut Errors) -> Option<Output> {
    let output = ungroup(output);
    match output {
        Type::Tuple(tuple) if tuple.elems.is_empty() => return Some(None),
        Type::Never(_) => return Some(None),
        Type::ImplTrait(hidden) => {
            let message = format!(
                "the output is hidden in `{}`: return `Json<T>`, or say what it is with `output = \
                 T`",
                text(hidden)
            );
            errors.at(hidden, message);
            return None;
        }
        _ => {}
    }
    match check_owned(output, &function.parameters()) {
        Ok(()) => Some(Some(output.clone())),
        Err(why) => {
            errors.at(held, format!("the output becomes part of the event: {why}"));
            None
        }
    }
}

fn shown_output(returned: &Type) -> String {
    match returned {
        Type::ImplTrait(_) => "Json<T>".to_owned(),
        returned => text(returned),
    }
}
