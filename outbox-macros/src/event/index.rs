//! The properties that an event wants indexes on.

use syn::{DeriveInput, Ident};

use super::serde::{Property, unraw};
use crate::diagnostics::{Errors, did_you_mean};

/// What the fields are in the payload; what is no property of it is reported.
pub(super) fn check(
    input: &DeriveInput,
    properties: &[Property],
    fields: &[Ident],
    errors: &mut Errors,
) -> Vec<String> {
    let mut found = Vec::new();
    for field in fields {
        match property(input, properties, field) {
            Ok(property) if found.contains(&property) => {
                errors.at(field, format!("`{field}` has an index already"));
            }
            Ok(property) => found.push(property),
            Err(message) => errors.at(field, message),
        }
    }
    found
}

fn property(input: &DeriveInput, properties: &[Property], field: &Ident) -> Result<String, String> {
    let wanted = unraw(field);
    let named = |property: &&Property| property.ident.as_ref().map(unraw) == Some(wanted.clone());
    match properties.iter().find(named) {
        Some(Property { wire: Some(wire), .. }) => Ok(wire.clone()),
        Some(_) => {
            Err(format!("`{wanted}` is no property of the payload: it cannot have an index"))
        }
        None => {
            let names: Vec<String> = properties
                .iter()
                .filter_map(|property| property.ident.as_ref().map(unraw))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let hint = did_you_mean(&wanted, "fields", &names);
            Err(format!("no field `{wanted}` on `{}`{hint}", input.ident))
        }
    }
}
