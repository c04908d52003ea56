//! Where pages are, and how they refer to one another and to sources.

use outbox_runtime::Declaration;

use super::markdown::code;

pub(super) const INDEX: &str = "README.md";
pub(super) const EVENTS: &str = "events";

/// Names that no file may have on Windows, whatever comes after a dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The file of an event's page.
pub(super) fn file(event: &str) -> String {
    let first = event.split('.').next().unwrap_or_default();
    let is_device = DEVICES.contains(&first.trim_end_matches(|c: char| c.is_ascii_digit()));
    let mut file = String::new();
    for (index, byte) in event.bytes().enumerate() {
        match byte {
            b'/' => file.push('+'),
            b':' => file.push('~'),
            b'.' | b'-' if index == 0 => file.push_str(&hex(byte)),
            _ if index == 0 && is_device => file.push_str(&hex(byte)),
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => file.push(char::from(byte)),
            _ => file.push_str(&hex(byte)),
        }
    }
    file + ".md"
}

fn hex(byte: u8) -> String {
    format!("={byte:02x}")
}

/// A link from the index to a page.
pub(super) fn to_event(event: &str) -> String {
    format!("[{}]({EVENTS}/{})", code(event), file(event))
}

/// A link from the index to a part of a page.
pub(super) fn to_part(event: &str, part: &str, text: &str) -> String {
    format!("[{}]({EVENTS}/{}#{part})", code(text), file(event))
}

/// The source file, relative to the workspace or to its package.
pub(super) fn source(declared: &Declaration) -> Option<String> {
    if declared.file.is_empty() {
        return None;
    }
    let file = declared.file.replace('\\', "/");
    let is_absolute = file.starts_with('/') || file.get(1..3) == Some(":/");
    Some(if is_absolute { in_package(&file) } else { file })
}

/// The path from the folder of the package on: what is before is the machine's.
fn in_package(file: &str) -> String {
    let parts: Vec<&str> = file.split('/').collect();
    let folder = parts.iter().rposition(|part| ["src", "tests", "examples"].contains(part));
    let from = folder.map_or(parts.len().saturating_sub(1), |folder| folder.saturating_sub(1));
    parts[from..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_share_a_file() {
        let names =
            ["a.b", "a/b", "a:b", "a-b", "a_b", "A.b", "a+b", "a~b", "a=2fb", "a=b", ".a", "a"];
        let files: std::collections::BTreeSet<_> =
            names.iter().map(|name| file(name).to_lowercase()).collect();
        assert_eq!(files.len(), names.len(), "{files:?}");
        assert_eq!(file("stripe:invoice/v2.paid"), "stripe~invoice+v2.paid.md");
        assert_eq!(file("aux.opened"), "=61ux.opened.md");
    }

    #[test]
    fn a_source_never_tells_where_the_machine_keeps_it() {
        let source = |file| source(&Declaration::new("billing", file, 3, ""));
        assert_eq!(source("billing/src/lib.rs").as_deref(), Some("billing/src/lib.rs"));
        let kept = source("/home/me/.cargo/registry/src/index-1/billing-1.2.0/src/a/lib.rs");
        assert_eq!(kept.as_deref(), Some("billing-1.2.0/src/a/lib.rs"));
        assert_eq!(source("C:\\me\\billing\\src\\lib.rs").as_deref(), Some("billing/src/lib.rs"));
        assert_eq!(source(""), None);
    }
}
