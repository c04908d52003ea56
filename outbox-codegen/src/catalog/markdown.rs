//! Markdown from texts of others.

use crate::summary::summary;

/// A text as it is, in one line; code in backticks stays code.
pub(super) fn text(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    with_code(&line.join(" "), escaped)
}

/// The first paragraph of a documentation, as [`text`].
pub(super) fn first_line(docs: &str) -> String {
    text(&summary(docs))
}

/// A text as code.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control(), " ");
    if text.trim() != text || text.is_empty() || text.contains(['|', '`', '\\', '<']) {
        // What backticks cannot hold, least of all in a table.
        return format!("<code>{}</code>", escaped(&text));
    }
    format!("`{text}`")
}

/// Several texts as code: `a`, `b` or `c`.
pub(super) fn codes<'a>(texts: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    enumerated(&texts.into_iter().map(code).collect::<Vec<_>>(), last)
}

/// Several words: a, b or c.
pub(super) fn enumerated(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., end] => format!("{} {last} {end}", others.join(", ")),
    }
}

/// A table, whose cells are Markdown already. One without rows is nothing.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(&head.map(str::to_owned)) + &line(&head.map(|_| "---".to_owned()));
    table.extend(rows.iter().map(|row| line(row)));
    table + "\n"
}

/// A documentation as the Markdown that it is, in a quotation: whatever it leaves open ends there.
/// Headings lose their rank, since they would be anchors of the page; tags are shown.
pub(super) fn quoted(docs: &str) -> String {
    let mut quoted = String::new();
    let mut fence: Option<Fence> = None;
    let mut after_text = false;
    let mut lines = docs.lines();
    while let Some(line) = lines.next() {
        let is_code = fence.is_some();
        let shown = match fence {
            Some(open) => {
                fence = Some(open).filter(|open| !open.is_closed_by(line));
                line.to_owned()
            }
            None => {
                // One that nothing closes may be none: what follows is treated as text.
                let closes = |open: &Fence| lines.clone().any(|line| open.is_closed_by(line));
                fence = Fence::opened_by(line).filter(closes);
                if fence.is_some() { line.to_owned() } else { without_rank(line, after_text) }
            }
        };
        after_text = !is_code && fence.is_none() && !line.trim().is_empty();
        quoted.push_str(format!("> {shown}").trim_end());
        quoted.push('\n');
    }
    if quoted.is_empty() { quoted } else { quoted + "\n" }
}

/// The marks around a block of code.
#[derive(Clone, Copy)]
struct Fence {
    mark: char,
    count: usize,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let (mark, count, rest) = Self::marks(line)?;
        // Code within a line may have three backticks too.
        (mark != '`' || !rest.contains('`')).then_some(Self { mark, count })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        Self::marks(line).is_some_and(|(mark, count, rest)| {
            mark == self.mark && count >= self.count && rest.trim().is_empty()
        })
    }

    /// The marks that a line begins with, and what is behind them.
    fn marks(line: &str) -> Option<(char, usize, &str)> {
        let start = line.trim_start();
        let mark = start.chars().next().filter(|c| ['`', '~'].contains(c))?;
        let rest = start.trim_start_matches(mark);
        let (count, indent) = (start.len() - rest.len(), line.len() - start.len());
        (count >= 3 && indent < 4).then_some((mark, count, rest))
    }
}

/// A line that makes no heading: neither of itself, in a list neither, nor of the text above.
fn without_rank(line: &str, after_text: bool) -> String {
    let in_lists = |c: char| c.is_whitespace() || c.is_ascii_digit() || "-+*>.)".contains(c);
    let start = line.trim_start_matches(in_lists);
    let bare = line.trim();
    let is_of = |mark: char| bare.chars().all(|c| c == mark);
    let is_underline = !bare.is_empty() && (is_of('=') || is_of('-'));
    let escaped_at = if start.starts_with('#') {
        Some(line.len() - start.len())
    } else if after_text && is_underline {
        line.find(bare)
    } else {
        None
    };
    match escaped_at.and_then(|at| line.split_at_checked(at)) {
        Some((before, after)) => format!("{before}\\{}", with_code(after, tags_shown)),
        None => with_code(line, tags_shown),
    }
}

fn tags_shown(text: &str) -> String {
    text.replace('<', "&lt;")
}

/// Treats what is not between backticks, and leaves code as it is.
fn with_code(line: &str, treat: impl Fn(&str) -> String) -> String {
    let mut parts: Vec<&str> = line.split('`').collect();
    // A part between two backticks is code. (Several backticks in a row are no code here.)
    if parts.len().is_multiple_of(2) || line.contains("``") {
        return treat(line);
    }
    let last = parts.pop().unwrap_or_default();
    let mut shown = String::new();
    for pair in parts.chunks(2) {
        shown.push_str(&treat(pair[0]));
        shown.extend(pair.get(1).map(|inner| code(inner)));
    }
    shown + &treat(last)
}

/// Everything that means something to some renderer, in a table too, where `\|` does not always do.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '|' => escaped.push_str("&#124;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '#' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_keeps_code_and_loses_everything_else_that_means_something() {
        assert_eq!(text("The `id` | of\n*it*"), "The `id` &#124; of \\*it\\*");
        assert_eq!(text("`a|b` and `"), "\\`a&#124;b\\` and \\`");
        assert_eq!(text("`a|b`"), "<code>a&#124;b</code>");
        assert_eq!(first_line("One\ntwo.\n\nThree."), "One two.");
    }

    #[test]
    fn a_documentation_makes_no_heading_and_opens_no_tag() {
        let docs = "# A\nText\n---\n<b> `Vec<T>`\n```\n# <code>\n```\n";
        let expected = "> \\# A\n> Text\n> \\---\n> &lt;b> <code>Vec&lt;T&gt;</code>\n> ```\n\
                        > # <code>\n> ```\n\n";
        assert_eq!(quoted(docs), expected);
        assert_eq!(quoted(""), "");
    }

    #[test]
    fn what_only_looks_like_a_fence_hides_nothing_from_the_escapes() {
        for docs in ["```a``` b", "    ```", "```", "- ```\n  a\n  ```"] {
            let page = quoted(&format!("{docs}\n# A\n<b>"));
            assert!(page.ends_with("> \\# A\n> &lt;b>\n\n"), "{page}");
        }
        let nested = "````\n```\n<b>\n``` c\n~~~\n````\n<b>";
        let expected = "> ````\n> ```\n> <b>\n> ``` c\n> ~~~\n> ````\n> &lt;b>\n\n";
        assert_eq!(quoted(nested), expected);
    }

    #[test]
    fn a_list_keeps_its_indents_and_has_no_headings() {
        let expected = "> - \\# A\n>   1. \\## B\n>   text\n>   \\---\n\n";
        assert_eq!(quoted("- # A\n  1. ## B\n  text\n  ---"), expected);
    }
}
