//! What a documentation says first.

/// The first paragraph of a documentation, on one line; empty if there is none.
pub(crate) fn summary(docs: &str) -> String {
    let lines = docs.trim().lines().take_while(|line| !line.trim().is_empty());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_line_without_letters_ends_the_first_paragraph() {
        assert_eq!(summary("\n One\n  two. \n \t\nThree."), "One two.");
        assert_eq!(summary(" \n"), "");
    }
}
