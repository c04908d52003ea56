//! JSON values with one thing changed.

use serde_json::{Value, json};

/// Every value that comes of a removal or a replacement at one place.
pub(crate) fn mutations(value: &Value) -> Vec<Value> {
    let mut all = replacements();
    all.retain(|other| other != value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                all.push(Value::Object(without));
                all.extend(mutations(member).into_iter().map(|changed| {
                    let mut with = members.clone();
                    with.insert(name.clone(), changed);
                    Value::Object(with)
                }));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let mut without = items.clone();
                without.remove(index);
                all.push(Value::Array(without));
                all.extend(mutations(item).into_iter().map(|changed| {
                    let mut with = items.clone();
                    with[index] = changed;
                    Value::Array(with)
                }));
            }
            all.push(Value::Array([&items[..], &items[..]].concat()));
        }
        _ => {}
    }
    all
}

/// Every value that comes of a property that is added to one of the objects.
pub(crate) fn additions(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            for added in [json!(1), json!("text"), json!([1])] {
                let mut with = members.clone();
                with.insert("added".to_owned(), added);
                all.push(Value::Object(with));
            }
            for (name, member) in members {
                all.extend(additions(member).into_iter().map(|changed| {
                    let mut with = members.clone();
                    with.insert(name.clone(), changed);
                    Value::Object(with)
                }));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                all.extend(additions(item).into_iter().map(|changed| {
                    let mut with = items.clone();
                    with[index] = changed;
                    Value::Array(with)
                }));
            }
        }
        _ => {}
    }
    all
}

fn replacements() -> Vec<Value> {
    vec![json!(null), json!(true), json!(1), json!(-1.5), json!("text"), json!([]), json!({})]
}
