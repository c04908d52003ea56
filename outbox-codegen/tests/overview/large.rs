//! A registry with 60 and more nodes, of three teams that consume one another's events.

use outbox_runtime::{EventInfo, Registry, RegistryInfo};

use crate::shop::{Shop, billing::InvoicePaid};

const TEAMS: [&str; 3] = ["Shop", "Billing", "Warehouse"];
const WORDS: [&str; 7] =
    ["order", "invoice", "parcel", "customer", "subscription_renewal", "stock", "refund"];
const VERBS: [&str; 3] = ["placed", "changed_by_administrator", "cancelled"];

/// The registry: 21 events, 7 handlers, 34 consumers.
pub(crate) fn large() -> RegistryInfo {
    let shop = Shop::registry();
    let mut registry = RegistryInfo::new("Company", Vec::new(), Vec::new());
    registry.includes = TEAMS.into();
    let names = WORDS.iter().flat_map(|word| VERBS.map(|verb| leak(format!("{word}.{verb}"))));
    for (index, name) in names.enumerate() {
        let mut event = EventInfo::of::<InvoicePaid>();
        event.name = name;
        event.registry = TEAMS[index % 3];
        event.version = 1 + index as u32 % 4;
        event.retired = index % 11 == 10;
        registry.events.push(event);
        if index % 3 == 0 {
            let mut handler = shop.handlers[0].clone();
            handler.name = leak(name.replace('.', "_"));
            handler.registry = TEAMS[index % 3];
            handler.event_name = name;
            handler.event_version = 1 + index as u32 % 4;
            registry.handlers.push(handler);
        }
        for nth in 0..[1, 3, 0, 2, 2][index % 5] {
            let mut consumer = shop.consumers[(index + nth) % shop.consumers.len()].clone();
            consumer.options.name = leak(format!("{}.{}{nth}", VERBS[index % 3], WORDS[index / 3]));
            consumer.registry = TEAMS[(index + nth * nth / 2) % 3];
            consumer.event_name = name;
            consumer.event_version = 1 + index as u32 % 4;
            registry.consumers.push(consumer);
        }
    }
    registry
}

/// For a test, whose process ends.
pub(crate) fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
