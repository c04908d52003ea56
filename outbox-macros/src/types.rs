//! Types as they are written.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// What macro_rules wraps around fragments is taken off, and parentheses.
pub(crate) fn ungroup(written: &Type) -> &Type {
    match written {
        Type::Group(group) => ungroup(&group.elem),
        Type::Paren(paren) => ungroup(&paren.elem),
        other => other,
    }
}

/// The last segment of a path.
pub(crate) fn last_segment(written: &Type) -> Option<&PathSegment> {
    match ungroup(written) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The types among the arguments of a segment: `T` and `E` of `Result<T, E>`.
pub(crate) fn parameters(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(parameter) => Some(parameter),
        _ => None,
    })
}
