//! Texts in const evaluation, where there is no `format!` and no `==`.

use crate::declaration::Declaration;

/// Whether two texts are the same.
pub(super) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    // From the end: names in one place begin alike.
    let mut index = a.len();
    while index > 0 {
        index -= 1;
        if a[index] != b[index] {
            return false;
        }
    }
    true
}

/// A message for the user whose crate is being compiled.
pub(super) struct Message {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl Message {
    /// Room for two longest names, some long identifiers, two paths of files, and the words between.
    const CAPACITY: usize = 2048;

    pub(super) const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0 }
    }

    /// A message that begins with these texts.
    pub(super) const fn of(texts: &[&str]) -> Self {
        Self::new().texts(texts)
    }

    /// Adds the texts.
    pub(super) const fn texts(mut self, texts: &[&str]) -> Self {
        let mut index = 0;
        while index < texts.len() {
            self = self.text(texts[index]);
            index += 1;
        }
        self
    }

    /// Adds the text; one that does not fit is left out whole, so that no character is cut.
    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.len + text.len() - index <= Self::CAPACITY {
            self.bytes[self.len] = text[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    /// Adds the number in decimal.
    pub(super) const fn number(mut self, number: u32) -> Self {
        if number >= 10 {
            self = self.number(number / 10);
        }
        let digit = [b'0' + (number % 10) as u8];
        match std::str::from_utf8(&digit) {
            Ok(digit) => self.text(digit),
            Err(_) => self,
        }
    }

    /// Adds ` (file:line)`, if that is known.
    pub(super) const fn place(self, declared: &Declaration) -> Self {
        if declared.file.is_empty() {
            return self;
        }
        self.texts(&[" (", declared.file, ":"]).number(declared.line).text(")")
    }

    /// Ends the compilation with the message, shown where the outermost caller that tracks its
    /// caller was called.
    #[track_caller]
    pub(super) const fn panic(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(message) => panic!("{}", message),
            Err(_) => panic!("the registry contradicts itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &Message) -> &str {
        std::str::from_utf8(message.bytes.split_at(message.len).0).expect("text")
    }

    #[test]
    fn a_message_longer_than_its_room_stays_text() {
        let long = "é".repeat(1200);
        assert_eq!(shown(&Message::of(&["a", &long, "b"])), "ab");
    }

    #[test]
    fn numbers_and_places_are_written_out() {
        let declared = Declaration::new("shop", "src/shop.rs", 120, "");
        assert_eq!(shown(&Message::of(&["a"]).place(&declared)), "a (src/shop.rs:120)");
        assert_eq!(shown(&Message::of(&["a"]).place(&Declaration::UNKNOWN)), "a");
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("order.placed", "order.placed") && same("", ""));
        assert!(!same("order.placed", "order.paid") && !same("a", "ba") && !same("a", "b"));
    }
}
