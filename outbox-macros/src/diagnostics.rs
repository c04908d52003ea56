//! Errors: collected, so that one compilation shows all of them, and worded with a way out.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Expr;

/// The errors that a macro has found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds an error at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or its error added here.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` an error.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(|errors| errors.into_compile_error()).unwrap_or_default()
    }
}

/// Reports a closure that takes another number of arguments. Anything else that is wrong with it
/// is the compiler's to say, which shows it inside of the closure.
pub(crate) fn check_closure(
    function: &Expr,
    arguments: usize,
    shape: impl FnOnce() -> String,
    errors: &mut Errors,
) {
    if let Expr::Closure(closure) = function
        && closure.inputs.len() != arguments
    {
        let syn::ExprClosure { or1_token, inputs, or2_token, .. } = closure;
        errors.at(quote!(#or1_token #inputs #or2_token), shape());
    }
}

/// Below this similarity a suggestion would be a guess.
const SIMILAR: f64 = 0.8;

/// `; did you mean ...?` with the most similar candidate, or else the list of all of them.
pub(crate) fn did_you_mean(wrong: &str, what: &str, candidates: &[&str]) -> String {
    match closest(wrong, candidates) {
        Some(right) => format!("; did you mean `{right}`?"),
        None if candidates.is_empty() => format!("; there are no {what}"),
        None => format!("; the {what} are {}", list(candidates)),
    }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Tokens as a person would write them: spaces only between words.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let spaced = tokens.to_token_stream().to_string();
    let letters: Vec<char> = spaced.chars().collect();
    let word = |letter: Option<&char>| letter.is_some_and(|l| l.is_alphanumeric() || *l == '_');
    letters
        .iter()
        .enumerate()
        .filter(|(i, letter)| {
            let between_words = *i > 0 && word(letters.get(i - 1)) && word(letters.get(i + 1));
            let after_comma = *i > 0 && letters[i - 1] == ',';
            **letter != ' ' || between_words || after_comma
        })
        .map(|(_, letter)| letter)
        .collect()
}

/// The candidate most similar to a misspelt word, if any is similar.
pub(crate) fn closest<'a>(wrong: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|&candidate| (similarity(wrong, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// The Jaro-Winkler similarity, from 0 to 1: made for short names, and kind to common beginnings.
fn similarity(a: &str, b: &str) -> f64 {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut matched_a = Vec::new();
    for (i, letter) in a.iter().enumerate() {
        let reach = i.saturating_sub(window)..(i + window + 1).min(b.len());
        if let Some(j) = reach.into_iter().find(|&j| !taken[j] && b[j] == *letter) {
            taken[j] = true;
            matched_a.push(*letter);
        }
    }
    if matched_a.is_empty() {
        return 0.0;
    }
    let matched_b = b.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(letter, _)| letter);
    let swapped = matched_a.iter().zip(matched_b).filter(|(a, b)| a != b).count();
    let matches = matched_a.len() as f64;
    let jaro = (matches / a.len() as f64
        + matches / b.len() as f64
        + (matches - swapped as f64 / 2.0) / matches)
        / 3.0;
    let prefix = a.iter().zip(&b).take(4).take_while(|(a, b)| a == b).count() as f64;
    jaro + prefix * 0.1 * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_the_word_that_was_meant() {
        let options = ["name", "retry", "timeout", "delay", "when", "ordered", "concurrency"];
        for (wrong, right) in [
            ("retires", "retry"),
            ("retries", "retry"),
            ("time_out", "timeout"),
            ("orderd", "ordered"),
            ("concurency", "concurrency"),
            ("Name", "name"),
        ] {
            assert_eq!(closest(wrong, &options), Some(right), "{wrong}");
        }
        assert_eq!(closest("oder_id", &["total", "order_id"]), Some("order_id"));
    }

    #[test]
    fn words_unlike_any_other_get_the_whole_list() {
        assert_eq!(closest("priority", &["name", "audit"]), None);
        assert_eq!(closest("", &["name"]), None);
        assert_eq!(
            did_you_mean("priority", "options", &["name", "audit", "start"]),
            "; the options are `name`, `audit` and `start`"
        );
        assert_eq!(did_you_mean("id", "fields", &[]), "; there are no fields");
    }

    #[test]
    fn tokens_are_shown_as_a_person_writes_them() {
        let tokens = quote::quote!(&'a mut Tx<'_, sqlx::Postgres>);
        assert_eq!(text(tokens), "&'a mut Tx<'_, sqlx::Postgres>");
        assert_eq!(text(quote::quote!(Vec<dyn Send>)), "Vec<dyn Send>");
    }

    #[test]
    fn errors_are_shown_together() {
        let mut errors = Errors::default();
        assert!(errors.is_empty());
        errors.at(quote::quote!(a), "first");
        errors.at(quote::quote!(b), "second");
        let shown = errors.into_compile_errors().to_string();
        assert!(shown.contains("first") && shown.contains("second"), "{shown}");
    }
}
