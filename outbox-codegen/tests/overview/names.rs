//! A registry with the worst names and documentation that somebody could give by hand: the macros
//! refuse such names, what is generated must bear them.

use outbox_runtime::{Declaration, RegistryInfo};

use crate::large::leak;
use crate::shop::shop;

/// Characters that mean something in Markdown, XML, Mermaid or DOT.
pub(crate) const WORST: [&str; 10] = [
    "a|b",
    "<b>&amp;</b>",
    "`x` \"y\" 'z'",
    "end",
    "x\\",
    "](https://example.com) #1;",
    "*a* _b_ ~~c~~ $d$",
    "-->%%{init}%%",
    "日本語 é ﷽",
    "<!-- [x]: y",
];

/// Every event, handler and consumer has a name of [`WORST`].
pub(crate) fn hostile() -> RegistryInfo {
    let shop = shop();
    let mut registry = RegistryInfo::new("\"]; <Worst> | & \\", Vec::new(), Vec::new());
    for (index, name) in WORST.into_iter().enumerate() {
        let declared =
            Declaration::new("worst", "src/a|b.rs", 7, leak(format!("{name}\n\n{name}")));
        let mut event = shop.events[0].clone();
        (event.name, event.registry, event.declared) = (name, registry.name, declared);
        let mut consumer = shop.consumers[index % 3].clone();
        consumer.options.name = name;
        (consumer.event_name, consumer.registry, consumer.declared) = (name, "Wo<rst", declared);
        let mut handler = shop.handlers[0].clone();
        (handler.name, handler.event_name, handler.declared) = (name, name, declared);
        (handler.event_version, handler.registry) = (1, registry.name);
        registry.events.push(event);
        registry.consumers.push(consumer);
        registry.handlers.push(handler);
    }
    registry
}
