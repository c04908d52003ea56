//! Every schema that schemars' own tests have, and every one of the examples': it is read, and means the
//! same as a copy that says at every place what it says in other words.

use std::path::{Path, PathBuf};
use std::process::Command;

use outbox_codegen::compat::{Answer, compare};
use serde_json::{Value, json};

/// Where the source of schemars is.
fn schemars() -> PathBuf {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc").stdout;
    let version = String::from_utf8(version).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("the host");
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let schemars = packages.iter().find(|package| package["name"] == "schemars");
    let manifest = schemars.and_then(|package| package["manifest_path"].as_str());
    Path::new(manifest.expect("schemars")).parent().expect("its folder").to_owned()
}

fn json_files(folder: &Path, to: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            json_files(&path, to);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            to.push(path);
        }
    }
}

/// Adds to every schema a condition that every value meets. (Annotations would not do: what differs in
/// these only is not looked at twice.)
fn reworded(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords.iter_mut() {
                if !["default", "examples", "const", "enum"].contains(&keyword.as_str()) {
                    reworded(value);
                }
            }
            let is_schema = keywords.get("type").is_some_and(|t| t.is_string() || t.is_array());
            if is_schema || keywords.contains_key("$ref") {
                match keywords.get_mut("allOf").and_then(Value::as_array_mut) {
                    Some(all) => all.push(json!(true)),
                    None => {
                        keywords.insert("allOf".into(), json!([true]));
                    }
                }
            }
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(reworded),
        _ => {}
    }
}

/// The files that are not read, and may be.
fn undecided(files: &[PathBuf]) -> Vec<String> {
    let mut undecided = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("a file");
        let schema: Value = serde_json::from_str(&text).expect("JSON");
        let mut copy = schema.clone();
        reworded(&mut copy);
        let answer = compare(&schema, &copy).unwrap_or_else(|errors| panic!("{errors:?}"));
        match answer {
            Answer::Holds => {}
            Answer::Unknown(_) => {
                let name = file.file_name().and_then(|name| name.to_str()).expect("text");
                undecided.push(name.to_owned());
            }
            answer => panic!("{}: {answer:?}", file.display()),
        }
    }
    undecided
}

#[test]
fn every_snapshot_of_schemars_is_read() {
    let mut files = Vec::new();
    json_files(&schemars().join("tests"), &mut files);
    assert!(files.len() > 100, "the snapshots are elsewhere: {} files", files.len());
    assert_eq!(undecided(&files), [""; 0]);
}

#[test]
fn every_schema_of_the_examples_is_read() {
    let mut files = Vec::new();
    json_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas"), &mut files);
    assert!(files.len() >= 14, "{} files", files.len());
    assert_eq!(undecided(&files), [""; 0]);
}
