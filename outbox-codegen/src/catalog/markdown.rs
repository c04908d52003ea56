//! Markdown from texts of others.

/// A text as it is, in one line; code in backticks stays code.
pub(super) fn text(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    with_code(&line.join(" "), escaped)
}

/// The first paragraph of a documentation, as [`text`].
pub(super) fn first_line(docs: &str) -> String {
    let lines = docs.lines().take_while(|line| !line.trim().is_empty());
    text(&lines.collect::<Vec<_>>().join(" "))
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
    let mut fence: Option<&str> = None;
    let mut after_text = false;
    for line in docs.lines() {
        let start = line.trim_start();
        let marks = ["```", "~~~"].into_iter().find(|marks| start.starts_with(marks));
        let shown = match (fence, marks) {
            (Some(open), Some(marks)) if open == marks => {
                fence = None;
                line.to_owned()
            }
            (None, Some(marks)) => {
                fence = Some(marks);
                line.to_owned()
            }
            (Some(_), _) => line.to_owned(),
            (None, None) if start.starts_with('#') => format!("\\{}", with_code(start, tags_shown)),
            (None, None) if after_text && is_underline(start) => format!("\\{start}"),
            (None, None) => with_code(line, tags_shown),
        };
        after_text = fence.is_none() && !start.is_empty();
        quoted.push_str(format!("> {shown}").trim_end());
        quoted.push('\n');
    }
    if quoted.is_empty() { quoted } else { quoted + "\n" }
}

/// A line below a text that makes it a heading.
fn is_underline(line: &str) -> bool {
    let line = line.trim_end();
    !line.is_empty() && ['=', '-'].iter().any(|mark| line.chars().all(|c| c == *mark))
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
}
