//! How wide a text is. The reader's fonts are not known, so this is as wide as in the widest common
//! ones, Verdana and DejaVu Sans, in bold.

/// A size of letters.
#[derive(Clone, Copy)]
pub(super) struct Font {
    pub(super) size: f64,
    /// The height of a line: even, so that the middle of a box is a whole pixel.
    pub(super) line: i32,
    /// What of a line is below the letters' feet.
    pub(super) below: i32,
}

/// The first lines of a box.
pub(super) const NAME: Font = Font { size: 13.0, line: 18, below: 5 };

/// The lines below them.
pub(super) const DETAIL: Font = Font { size: 11.0, line: 14, below: 2 };

/// The width of a text in pixels.
pub(super) fn width(text: &str, font: Font) -> i32 {
    let ems: f64 = text.chars().map(ems).sum();
    // An image has hundreds of pixels, not billions.
    (ems * font.size).ceil().min(1e6) as i32
}

fn ems(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '/' | '|' | '\'' | ' ' | '·' => 0.42,
        'f' | 't' | 'r' | '-' | '(' | ')' => 0.52,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.12,
        'A'..='Z' => 0.9,
        '\u{20}'..='\u{7e}' => 0.74,
        '\u{a0}'..='\u{24f}' => 1.0,
        _ => 1.4,
    }
}

/// The text in lines that are at most so wide: broken where a name has a separator or a text a space,
/// or else anywhere.
pub(super) fn wrap(text: &str, font: Font, most: i32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.split_inclusive(|c: char| " .:/_-·".contains(c)) {
        if !line.is_empty() && width(&format!("{line}{part}"), font) > most {
            lines.push(std::mem::take(&mut line));
        }
        for c in part.chars() {
            line.push(c);
            if width(&line, font) > most {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    lines.push(line);
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_its_separators_and_keeps_its_letters() {
        let lines = wrap("payments.charge.again_and_again", NAME, 120);
        assert_eq!(lines, ["payments.", "charge.again_", "and_again"]);
        assert_eq!(wrap("mmmmmmmmmmmm", NAME, 100).concat(), "mmmmmmmmmmmm");
        assert_eq!(wrap("", NAME, 100), [""; 0]);
    }

    #[test]
    fn no_line_is_too_wide() {
        for text in ["mmmmmmmmmmmmmmmm", "a.b.c.d.e.f.g.h.i.j.k.l.m.n", "日本語の名前が長い"]
        {
            let lines = wrap(text, NAME, 60);
            assert!(
                lines.len() > 1 && lines.iter().all(|line| width(line, NAME) <= 60),
                "{lines:?}"
            );
        }
    }
}
