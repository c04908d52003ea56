//! The payload of all benchmarks.

use serde::{Deserialize, Serialize};

/// What happened: some fields of the usual kinds, 200 bytes as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which one it is, from 0.
    pub n: u64,
    /// What it is about; there are [`Order::KEYS`] of these.
    pub key: String,
    /// Who ordered.
    pub customer: String,
    /// For how much.
    pub amount_cents: u64,
    /// Whether it is a gift.
    pub gift: bool,
    /// As long as it takes.
    pub note: String,
}

impl Order {
    /// How many different keys there are.
    pub const KEYS: u64 = 10_000;
    /// How long an order is as JSON without spaces.
    pub const BYTES: usize = 200;

    /// The order of this number: always the same.
    pub fn of(n: u64) -> Self {
        let mut order = Self {
            n,
            key: format!("key-{}", n % Self::KEYS),
            customer: format!("customer-{}", n.wrapping_mul(7_919) % 100_000),
            amount_cents: n.wrapping_mul(104_729) % 1_000_000,
            gift: n.is_multiple_of(3),
            note: String::new(),
        };
        let length = serde_json::to_string(&order).map_or(0, |json| json.len());
        order.note = "x".repeat(Self::BYTES.saturating_sub(length));
        order
    }

    /// Whether it is of the one key whose orders fail in [`Kind::Ordered`](crate::Kind::Ordered).
    pub fn is_poisoned(n: u64) -> bool {
        n.is_multiple_of(Self::KEYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_two_hundred_bytes() {
        for n in [0, 1, 9, 10, 99, 12_345, 199_999, 5_000_000] {
            let json = serde_json::to_string(&Order::of(n)).expect("JSON");
            assert_eq!(json.len(), Order::BYTES, "{json}");
        }
    }
}
