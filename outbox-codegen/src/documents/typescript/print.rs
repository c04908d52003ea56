//! Types as text.

use serde_json::Value;

use super::types::{Object, Property, Tuple, Type};

/// Adds a type; lines after the first begin with `depth` times two spaces.
pub(super) fn of(file: &mut String, one: &Type, depth: usize) {
    match one {
        Type::Unknown => file.push_str("unknown"),
        Type::Never => file.push_str("never"),
        Type::Word(word) => file.push_str(word),
        Type::Array(item) => {
            operand(file, item, depth);
            file.push_str("[]");
        }
        Type::Tuple(one) => tuple(file, one, depth),
        Type::Object(one) => object(file, one, depth),
        Type::Union(members) => separated(file, members, " | ", depth),
        Type::Intersection(members) => separated(file, members, " & ", depth),
    }
}

/// Adds a documentation comment, if there is anything to say.
pub(super) fn docs(file: &mut String, docs: &str, depth: usize) {
    let docs = docs.trim().replace("*/", "*\\/");
    let lines: Vec<&str> = docs.lines().map(str::trim_end).collect();
    match lines[..] {
        [] => {}
        [line] => file.push_str(&format!("/** {line} */")),
        _ => {
            file.push_str("/**");
            for line in lines {
                indent(file, depth);
                file.push_str(if line.is_empty() { " *" } else { " * " });
                file.push_str(line);
            }
            indent(file, depth);
            file.push_str(" */");
        }
    }
    if !docs.is_empty() {
        indent(file, depth);
    }
}

fn indent(file: &mut String, depth: usize) {
    file.push('\n');
    file.push_str(&"  ".repeat(depth));
}

/// A type where an operator stands next to it.
fn operand(file: &mut String, one: &Type, depth: usize) {
    let compound = matches!(one, Type::Union(_) | Type::Intersection(_));
    file.push_str(if compound { "(" } else { "" });
    of(file, one, depth);
    file.push_str(if compound { ")" } else { "" });
}

fn separated(file: &mut String, members: &[Type], separator: &str, depth: usize) {
    for (index, member) in members.iter().enumerate() {
        file.push_str(if index == 0 { "" } else { separator });
        operand(file, member, depth);
    }
}

fn tuple(file: &mut String, Tuple { items, required, rest }: &Tuple, depth: usize) {
    file.push('[');
    for (index, item) in items.iter().enumerate() {
        file.push_str(if index == 0 { "" } else { ", " });
        operand(file, item, depth);
        file.push_str(if index < *required { "" } else { "?" });
    }
    if let Some(rest) = rest {
        file.push_str(if items.is_empty() { "..." } else { ", ..." });
        operand(file, rest, depth);
        file.push_str("[]");
    }
    file.push(']');
}

fn object(file: &mut String, Object { properties, others }: &Object, depth: usize) {
    if let (true, Some(others)) = (properties.is_empty(), others) {
        file.push_str("{ [key: string]: ");
        of(file, others, depth);
        file.push_str(" }");
        return;
    }
    file.push('{');
    for Property { name, docs: text, required, value } in properties {
        indent(file, depth + 1);
        docs(file, text, depth + 1);
        file.push_str(&property(name));
        file.push_str(if *required { ": " } else { "?: " });
        of(file, value, depth + 1);
        file.push(';');
    }
    if let Some(others) = others {
        indent(file, depth + 1);
        file.push_str("[key: string]: ");
        of(file, others, depth + 1);
        file.push(';');
    }
    indent(file, depth);
    file.push('}');
}

/// A property's name, in quotes unless it is an identifier.
fn property(name: &str) -> String {
    let start = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    let identifier =
        name.starts_with(start) && name.chars().all(|c| start(c) || c.is_ascii_digit());
    if identifier { name.to_owned() } else { Value::from(name).to_string() }
}
