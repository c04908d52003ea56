//! What `#[consumer(...)]` says, as written.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, LitStr, Path};

use crate::diagnostics::Errors;
use crate::literal::{parse_backoff, parse_duration, parse_time};
use crate::options::{self, Entry, Known, Value, as_path, as_text};

const KNOWN: &[Known] = &[
    ("name", "name = \"email.receipt\""),
    ("retry", "retry(max = 10, backoff = \"1s..15m\")"),
    ("timeout", "timeout = \"20s\""),
    ("delay", "delay = \"30s\""),
    ("when", "when = |event| event.total > 0"),
    ("ordered", "ordered"),
    ("concurrency", "concurrency = 64"),
    ("shards", "shards = 4"),
    ("batch", "batch(max = 500, wait = \"1s\")"),
    ("delivery", "delivery = tx"),
    ("start", "start = beginning"),
    ("on_dead", "on_dead = continue"),
    ("audit", "audit"),
    ("crate", "crate = path::to::outbox_runtime"),
];

const KNOWN_OF_RETRY: &[Known] =
    &[("max", "max = 10"), ("backoff", "backoff = \"1s..15m\""), ("with", "with = my_policy")];

const KNOWN_OF_BATCH: &[Known] = &[("max", "max = 500"), ("wait", "wait = \"1s\"")];

/// The attempts that a consumer has when it says nothing: the runtime's `RetryPolicy::DEFAULT`.
const DEFAULT_ATTEMPTS: u32 = 10;
const DEFAULT_BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(900));
const DEFAULT_BATCH_WAIT: Duration = Duration::from_secs(1);

/// The options of a consumer.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    /// Whether `name` was written, well or not.
    pub(super) names_itself: bool,
    pub(super) retry: Option<Retry>,
    pub(super) timeout: Option<Duration>,
    pub(super) delay: Option<Delay>,
    pub(super) when: Option<Expr>,
    pub(super) ordered: Option<Ident>,
    pub(super) concurrency: Option<(Ident, u32)>,
    pub(super) shards: Option<u32>,
    pub(super) batch: Option<Ident>,
    pub(super) batch_limits: Option<(u32, Duration)>,
    pub(super) tx: Option<Ident>,
    pub(super) start: Option<Start>,
    pub(super) on_dead: Option<(Ident, &'static str)>,
    pub(super) audit: bool,
    pub(super) krate: Option<Path>,
    /// Whether an option was not understood, so that others may seem to be missing.
    pub(super) incomplete: bool,
}

#[derive(Debug)]
pub(super) enum Retry {
    None,
    Backoff { max: u32, between: (Duration, Duration) },
    Custom { max: u32, decide: Expr },
}

#[derive(Debug)]
pub(super) enum Delay {
    Always(Duration),
    ByEvent(Expr),
}

#[derive(Debug)]
pub(super) enum Start {
    Now,
    Beginning,
    At { seconds: i64, nanos: u32 },
}

/// Reads the options.
pub(super) fn options(tokens: TokenStream, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    let entries = options::parse(tokens, KNOWN, errors);
    options.incomplete = !errors.is_empty();
    for entry in entries {
        let stored = store(&entry, &mut options, errors);
        errors.take(stored);
    }
    options
}

fn store(entry: &Entry, options: &mut Options, errors: &mut Errors) -> syn::Result<()> {
    match entry.name.to_string().as_str() {
        "name" => {
            options.names_itself = true;
            options.name = Some(entry.text()?.clone());
        }
        "retry" => options.retry = retry(entry, errors)?,
        "timeout" => options.timeout = Some(timeout(entry)?),
        "delay" => options.delay = Some(delay(entry)?),
        "when" => options.when = Some(function(entry)?.clone()),
        "ordered" => options.ordered = entry.flag().map(|()| Some(entry.name.clone()))?,
        "concurrency" => options.concurrency = Some((entry.name.clone(), entry.positive()?)),
        "shards" => options.shards = Some(entry.positive()?),
        "batch" => {
            options.batch = Some(entry.name.clone());
            options.batch_limits = batch(entry, errors)?;
        }
        "delivery" => {
            let understood = delivery(entry).map(|()| entry.name.clone());
            options.incomplete |= understood.is_err();
            options.tx = Some(understood?);
        }
        "start" => options.start = Some(start(entry)?),
        "on_dead" => {
            options.on_dead = Some((entry.name.clone(), entry.word(&["hold", "continue"])?));
        }
        "audit" => options.audit = entry.flag().map(|()| true)?,
        "crate" => options.krate = Some(entry.path()?.clone()),
        other => unreachable!("option {other} is known and not read"),
    }
    Ok(())
}

/// A closure or the path of a function.
fn function(entry: &Entry) -> syn::Result<&Expr> {
    match entry.expression()? {
        function @ (Expr::Closure(_) | Expr::Path(_)) => Ok(function),
        _ => Err(entry.misused()),
    }
}

fn retry(entry: &Entry, errors: &mut Errors) -> syn::Result<Option<Retry>> {
    match &entry.value {
        Value::List(_) => return Ok(retry_list(entry.list()?, errors)),
        Value::Assigned(value) if as_text(value).is_some_and(|text| text.value() == "none") => {
            return entry.word(&["none"]).map(|_| None);
        }
        Value::Assigned(_) | Value::Type(_) | Value::Flag => {}
    }
    if let Expr::Lit(literal) = entry.expression()? {
        let message = format!("write `retry(max = {})`", quote::quote!(#literal));
        return Err(match &literal.lit {
            syn::Lit::Int(_) => syn::Error::new_spanned(literal, message),
            _ => entry.misused(),
        });
    }
    let decide = function(entry)?;
    Ok(Some(match as_path(decide) {
        Some(path) if path.is_ident("none") => Retry::None,
        _ => Retry::Custom { max: DEFAULT_ATTEMPTS, decide: decide.clone() },
    }))
}

fn retry_list(list: TokenStream, errors: &mut Errors) -> Option<Retry> {
    let (mut max, mut backoff, mut decide) = (DEFAULT_ATTEMPTS, None, None);
    for entry in options::parse(list, KNOWN_OF_RETRY, errors) {
        let read = match entry.name.to_string().as_str() {
            "max" => attempts(&entry).map(|attempts| max = attempts),
            "backoff" => entry
                .parsed(parse_backoff)
                .map(|between| backoff = Some((entry.name.clone(), between))),
            _ => function(&entry)
                .map(|function| decide = Some((entry.name.clone(), function.clone()))),
        };
        errors.take(read);
    }
    match (backoff, decide) {
        (Some(_), Some((with, _))) => {
            errors.at(
                with,
                "`with` contradicts `backoff`: the first says that a function decides when to try \
                 again, the second that the wait doubles",
            );
            None
        }
        (None, Some((_, decide))) => Some(Retry::Custom { max, decide }),
        (backoff, None) => {
            let between = backoff.map_or(DEFAULT_BACKOFF, |(_, between)| between);
            Some(Retry::Backoff { max, between })
        }
    }
}

fn attempts(entry: &Entry) -> syn::Result<u32> {
    match entry.number()? {
        0 => Err(syn::Error::new_spanned(
            entry.expression()?,
            "a delivery has at least one attempt: write `retry = none` for no other",
        )),
        attempts => Ok(attempts),
    }
}

fn timeout(entry: &Entry) -> syn::Result<Duration> {
    match entry.parsed(parse_duration)? {
        Duration::ZERO => {
            let message = "a timeout of zero fails every attempt: write `timeout = \"20s\"`";
            Err(syn::Error::new_spanned(entry.expression()?, message))
        }
        timeout => Ok(timeout),
    }
}

fn delay(entry: &Entry) -> syn::Result<Delay> {
    match entry.expression()? {
        Expr::Lit(_) => entry.parsed(parse_duration).map(Delay::Always),
        _ => function(entry).cloned().map(Delay::ByEvent),
    }
}

fn batch(entry: &Entry, errors: &mut Errors) -> syn::Result<Option<(u32, Duration)>> {
    let (mut max, mut wait, mut malformed) = (None, DEFAULT_BATCH_WAIT, false);
    for option in options::parse(entry.list()?, KNOWN_OF_BATCH, errors) {
        let read = match option.name.to_string().as_str() {
            "max" => option.positive().map(|events| max = Some(events)),
            _ => option.parsed(parse_duration).map(|time| wait = time),
        };
        malformed |= errors.take(read).is_none();
    }
    match max {
        Some(max) => Ok(Some((max, wait))),
        None if malformed || !errors.is_empty() => Ok(None),
        None => Err(syn::Error::new_spanned(
            &entry.name,
            "how many events at most? Write `batch(max = 500, wait = \"1s\")`",
        )),
    }
}

fn delivery(entry: &Entry) -> syn::Result<()> {
    entry.word(&["tx"]).map(|_| ()).map_err(|_| {
        let message = "write `delivery = tx` to work in the database, exactly once; without \
                       `delivery`, a consumer works outside, at least once";
        match entry.expression() {
            Ok(value) => syn::Error::new_spanned(value, message),
            Err(_) => syn::Error::new_spanned(&entry.name, message),
        }
    })
}

fn start(entry: &Entry) -> syn::Result<Start> {
    if as_text(entry.expression()?).is_some_and(|text| text.value().contains(char::is_numeric)) {
        let (seconds, nanos) = entry.parsed(parse_time)?;
        return Ok(Start::At { seconds, nanos });
    }
    entry.word(&["now", "beginning"]).map(|word| match word {
        "now" => Start::Now,
        _ => Start::Beginning,
    })
}
