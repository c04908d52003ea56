//! The source of the two crates.

use std::fmt::Write as _;
use std::path::Path;

/// How a crate implements the traits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Macros,
    ByHand,
}

impl Style {
    /// The crate's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Macros => "with-macros",
            Self::ByHand => "by-hand",
        }
    }
}

pub(super) fn manifest(style: Style, runtime: &Path) -> String {
    format!(
        r#"[package]
name = "{}"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
outbox-runtime = {{ path = {runtime:?}, default-features = false, features = ["sqlite"] }}
schemars = "1"
serde = {{ version = "1", features = ["derive"] }}
sqlx = {{ version = "0.9", default-features = false }}
"#,
        style.name()
    )
}

/// So many events, a consumer of each, the registry, and a worker; `change` is part of one function.
pub(super) fn library(style: Style, count: u32, change: u32) -> String {
    let mut text = IMPORTS.to_owned();
    if style == Style::ByHand {
        text += IMPORTS_BY_HAND;
    }
    for n in 0..count {
        let change = if n == 0 { change } else { 0 };
        // Writing to a `String` cannot fail.
        let _ = match style {
            Style::Macros => with_macros(&mut text, n, change),
            Style::ByHand => by_hand(&mut text, n, change),
        };
    }
    text + &registry(style, count)
}

const IMPORTS: &str =
    "use outbox_runtime::{Delivery, Event, Outbox, Sqlite, State, Worker, consumer, registry};

#[derive(Clone)]
pub struct App;

pub async fn work(pool: sqlx::Pool<Sqlite>) -> outbox_runtime::Result<()> {
    let outbox = Outbox::<Shop, Sqlite>::new(pool);
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Event0 { id: 1, text: String::new() }).await?;
    tx.commit().await?;
    Worker::new(outbox, App).drain().await.map(drop)
}
";

const IMPORTS_BY_HAND: &str = "
use outbox_runtime::{
    Backend, Bound, Consumer, ConsumerDef, ConsumerError, ConsumerInfo, ConsumerOptions, Consumers,
    Context, Emittable, EventInfo, EventKey, HandleEach, Outcome, Own, Registered, Registry,
    RegistryInfo,
};
use std::borrow::Cow;
use std::sync::Arc;
";

fn with_macros(text: &mut String, n: u32, change: u32) -> std::fmt::Result {
    write!(
        text,
        r#"
#[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[event(name = "event.{n}", version = 1, key = id)]
pub struct Event{n} {{
    pub id: u64,
    pub text: String,
}}

#[consumer(name = "consumer.{n}", start = beginning, ordered)]
pub async fn consume_{n}(
    event: Delivery<Event{n}>,
    State(app): State<App>,
) -> Result<(), std::io::Error> {{
    let _ = (event, app, {change});
    Ok(())
}}
"#
    )
}

fn by_hand(text: &mut String, n: u32, change: u32) -> std::fmt::Result {
    write!(
        text,
        r#"
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Event{n} {{
    pub id: u64,
    pub text: String,
}}

impl Event for Event{n} {{
    const NAME: &'static str = "event.{n}";
    const VERSION: u32 = 1;

    fn key(&self) -> Option<Cow<'_, str>> {{
        EventKey::to_key(&self.id)
    }}
}}

impl Emittable for Event{n} {{}}

pub async fn consume_{n}(
    event: Delivery<Event{n}>,
    State(app): State<App>,
) -> Result<(), std::io::Error> {{
    let _ = (event, app, {change});
    Ok(())
}}

pub struct Consumer{n};

impl ConsumerDef for Consumer{n} {{
    type Event = Event{n};
    const OPTIONS: ConsumerOptions =
        ConsumerOptions::new("consumer.{n}").start(outbox_runtime::Start::Beginning).ordered();
}}

impl HandleEach<App> for Consumer{n} {{
    async fn handle(
        delivery: Delivery<Event{n}>,
        app: &App,
        _context: Context,
    ) -> Result<Outcome, ConsumerError> {{
        consume_{n}(delivery, State(app.clone())).await?;
        Ok(().into())
    }}
}}

impl<DB: Backend> Consumer<App, DB> for Consumer{n} {{
    fn bind(app: &Arc<App>) -> Bound<DB> {{
        Bound::each::<Self, App>(app)
    }}
}}

impl Registered<Event{n}, Own> for Shop {{}}
"#
    )
}

fn registry(style: Style, count: u32) -> String {
    let list = |item: &dyn Fn(u32) -> String| (0..count).map(item).collect::<Vec<_>>().join(", ");
    match style {
        Style::Macros => format!(
            "\nregistry! {{\n    pub struct Shop;\n    state: App,\n    events: [{}],\n    consumers: [{}],\n}}\n",
            list(&|n| format!("Event{n}")),
            list(&|n| format!("consume_{n}"))
        ),
        Style::ByHand => format!(
            "
pub struct Shop;

impl Registry for Shop {{
    type State = App;

    fn registry() -> RegistryInfo {{
        RegistryInfo::new(\"Shop\", vec![{}], vec![{}])
    }}
}}

impl<DB: Backend> Consumers<DB> for Shop {{
    fn consumers(app: &Arc<App>) -> Vec<Bound<DB>> {{
        vec![{}]
    }}
}}
",
            list(&|n| format!("EventInfo::of::<Event{n}>()")),
            list(&|n| format!("ConsumerInfo::of::<Consumer{n}>()")),
            list(&|n| format!("Consumer{n}::bind(app)")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_crates_have_as_many_of_everything() {
        for style in [Style::Macros, Style::ByHand] {
            let text = library(style, 7, 0);
            assert_eq!(text.matches("pub struct Event").count(), 7, "{style:?}");
            assert_eq!(text.matches("pub async fn consume_").count(), 7, "{style:?}");
        }
    }

    #[test]
    fn a_change_is_in_one_function() {
        for style in [Style::Macros, Style::ByHand] {
            let (before, after) = (library(style, 3, 0), library(style, 3, 1));
            let changed = before.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
            assert_eq!(changed, 1, "{style:?}");
        }
    }
}
