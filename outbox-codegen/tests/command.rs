//! The command `outbox` as people and CI run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, schema: &Value) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, schema.to_string()).expect("a file");
        path
    }
}

fn diff(old: &Path, new: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_outbox"))
        .args(["schemas", "diff"])
        .args([old, new])
        .args(more)
        .output()
        .expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn order(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

#[test]
fn a_compatible_change_exits_with_0() {
    let folder = Folder::new();
    let old = folder.write("old.json", &order(json!({ "id": { "type": "integer" } }), &["id"]));
    let properties = json!({ "id": { "type": "integer" }, "note": { "type": "string" } });
    let new = folder.write("new.json", &order(properties, &["id"]));
    let (code, stdout, stderr) = diff(&old, &new, &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        stdout,
        "forward (the old reads what the new writes): compatible\n\
         backward (the new reads what the old wrote): compatible\n"
    );
}

#[test]
fn a_breaking_change_exits_with_1_and_an_example() {
    let folder = Folder::new();
    let old = folder.write("old.json", &order(json!({ "id": { "type": "integer" } }), &["id"]));
    let new = folder.write("new.json", &order(json!({ "id": { "type": "string" } }), &["id"]));
    let (code, stdout, _) = diff(&old, &new, &["--direction", "forward"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        stdout,
        "forward (the old reads what the new writes): BREAKING\n  \
         .id: a kind of value that the reader does not take\n    for example {\"id\":\"\"}\n"
    );
    let (code, stdout, _) = diff(&old, &new, &["--format", "json", "--direction", "backward"]);
    assert_eq!(code, Some(1));
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(report["compatible"], false);
    assert_eq!(report["backward"]["verdict"], "breaking");
    assert_eq!(report["backward"]["breaks"][0]["witness"], json!({ "id": 0 }));
    assert!(report.get("forward").is_none(), "{report}");
}

#[test]
fn what_cannot_be_used_exits_with_2_and_says_why() {
    let folder = Folder::new();
    let good = folder.write("good.json", &json!(true));
    let bad = folder.write("bad.json", &json!({ "properties": { "id": { "type": "strng" } } }));
    let (code, stdout, stderr) = diff(&good, &bad, &[]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("bad.json is not a JSON Schema that can be compared:"), "{stderr}");
    assert!(stderr.contains("  /properties/id/type: `strng` is no type of JSON"), "{stderr}");

    let remote = folder.write("remote.json", &json!({ "$ref": "https://example.com/order.json" }));
    let (code, _, stderr) = diff(&remote, &good, &[]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("/$ref: `$ref` to `https://example.com/order.json`"), "{stderr}");

    let (code, _, stderr) = diff(&folder.0.path().join("gone.json"), &good, &[]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("gone.json: No such file"), "{stderr}");

    let text = folder.0.path().join("text.json");
    std::fs::write(&text, "{").expect("a file");
    let (code, _, stderr) = diff(&text, &good, &[]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("text.json is not JSON: EOF while parsing"), "{stderr}");
}
