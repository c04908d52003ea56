//! Rules about what a file says.

use super::Finding;
use super::sources::Source;

/// A longer file holds two ideas.
const MAX_LINES: usize = 600;
/// Notes to oneself, written so that this file does not hold them.
const NOTES: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = notes(source);
    match source.kind() {
        "rs" => {
            findings.extend(too_long(source));
            findings.extend(unsafe_code(source));
            findings.extend(glob_re_exports(source));
        }
        "toml" => findings.extend(own_lints(source)),
        _ => {}
    }
    findings
}

fn notes(source: &Source) -> Vec<Finding> {
    let message = |note| format!("{note}: do it, or open an issue and drop the note");
    numbered(&source.text)
        .filter_map(|(line, text)| {
            let note = NOTES.iter().find(|note| has_word(text, note))?;
            Some(Finding::at_line(source, line, message(note)))
        })
        .collect()
}

fn too_long(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    let message = format!("{lines} lines; split it before it passes {MAX_LINES}");
    (lines > MAX_LINES).then(|| Finding::in_file(&source.path, message))
}

/// The lint forbids it too, but only in code that a build reaches, and not in what macros write
/// into other people's code.
fn unsafe_code(source: &Source) -> Vec<Finding> {
    numbered(&source.text)
        .filter(|(_, text)| has_word(&code(text), "unsafe"))
        .map(|(line, _)| Finding::at_line(source, line, "unsafe code is not accepted"))
        .collect()
}

/// The public surface of a crate is one explicit list.
fn glob_re_exports(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_re_export = false;
    for (line, text) in numbered(&source.text) {
        let code = code(text);
        in_re_export |= is_re_export(&code);
        if in_re_export && code.contains("::*") {
            findings.push(Finding::at_line(source, line, "name what is re-exported, without `*`"));
        }
        in_re_export &= !code.contains(';');
    }
    findings
}

/// Whether a line starts with `pub use` or `pub(..) use`.
fn is_re_export(code: &str) -> bool {
    let Some(rest) = code.trim_start().strip_prefix("pub") else { return false };
    let rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or("", |(_, rest)| rest),
        None => rest,
    };
    rest.starts_with(' ') && rest.trim_start().starts_with("use ")
}

/// A package that does not inherit the lints escapes them all. One that is a workspace of its own has
/// nothing to inherit.
fn own_lints(source: &Source) -> Option<Finding> {
    let is_package =
        source.path.ends_with("/Cargo.toml") && source.text.lines().any(|line| line == "[package]");
    let inherits = source.text.contains("[lints]\nworkspace = true\n")
        || source.text.lines().any(|line| line == "[workspace]");
    (is_package && !inherits).then(|| {
        Finding::in_file(&source.path, "inherit the lints: `[lints]`, then `workspace = true`")
    })
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// A line of Rust without its comment and without what its strings hold. A string that spans
/// lines is not understood; no rule needs more.
fn code(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_string => {
                chars.next();
            }
            '\'' if !in_string && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' => in_string = !in_string,
            '/' if !in_string && chars.peek() == Some(&'/') => break,
            _ if !in_string => code.push(c),
            _ => {}
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// The lines of a Rust file that break a rule.
    fn lines(text: &str) -> Vec<usize> {
        check(&source("a/src/lib.rs", text)).iter().filter_map(|finding| finding.line).collect()
    }

    #[test]
    fn a_note_to_oneself_is_found_as_a_word() {
        let note = NOTES[0];
        assert_eq!(lines(&format!("fine\n// {note}: later\nlet {note}S = 1;")), [2]);
    }

    #[test]
    fn a_file_may_have_the_limit_and_no_more() {
        let text = "\n".repeat(MAX_LINES);
        assert_eq!(too_long(&source("a.rs", &text)), None);
        assert!(too_long(&source("a.rs", &format!("{text}\n"))).is_some());
    }

    #[test]
    fn unsafe_is_found_in_code_only() {
        assert_eq!(lines("unsafe { f() }\nlet x = '\"'; unsafe fn g() {}"), [1, 2]);
        assert_eq!(lines("// unsafe\nlet s = \"unsafe \\\" unsafe\";\nunsafe_code"), [0; 0]);
    }

    #[test]
    fn a_glob_re_export_is_found_over_lines_and_an_import_is_not() {
        assert_eq!(lines("pub use a::*;"), [1]);
        assert_eq!(lines("pub(crate) use a::{\n    b,\n    c::*,\n};"), [3]);
        assert_eq!(lines("use super::*;\npub use a::b;\nuse c::*;"), [0; 0]);
    }

    #[test]
    fn a_package_without_the_workspace_s_lints_is_found() {
        let bare = source("a/Cargo.toml", "[package]\nname = \"a\"\n");
        let inheriting = source("a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
        assert_eq!(check(&bare).len(), 1);
        assert_eq!(check(&inheriting), []);
        let by_itself = source("a/Cargo.toml", "[package]\nname = \"a\"\n\n[workspace]\n");
        assert_eq!(check(&by_itself), []);
    }
}
