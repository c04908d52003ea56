//! Keys: what events are ordered and sharded by.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;

/// A value that can be the key of an event.
///
/// Events of one key are delivered in order (to `ordered` consumers) and always to the same
/// shard. `None` means that this event has no key.
///
/// ```
/// use std::borrow::Cow;
/// use outbox_runtime::EventKey;
///
/// struct AccountId(u64);
///
/// impl EventKey for AccountId {
///     fn to_key(&self) -> Option<Cow<'_, str>> {
///         self.0.to_key()
///     }
/// }
/// assert_eq!(AccountId(7).to_key().as_deref(), Some("7"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an event",
    label = "not an `EventKey`",
    note = "implement `EventKey` for `{Self}`: strings, integers, `Uuid` and `Option`s of them have it"
)]
pub trait EventKey {
    /// The key as text; equal values must give equal text, for ever.
    fn to_key(&self) -> Option<Cow<'_, str>>;
}

impl EventKey for str {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl EventKey for String {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl EventKey for Cow<'_, str> {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl<K: EventKey + ?Sized> EventKey for &K {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        (**self).to_key()
    }
}

impl<K: EventKey> EventKey for Option<K> {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(EventKey::to_key)
    }
}

macro_rules! keys_by_display {
    ($($type:ty),*) => {$(
        impl EventKey for $type {
            fn to_key(&self) -> Option<Cow<'_, str>> {
                Some(Cow::Owned(self.to_string()))
            }
        }
    )*};
}

keys_by_display!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, Uuid);

/// The shard that a key hash belongs to.
pub(crate) fn shard_of(key_hash: i32, shards: u32) -> u32 {
    (key_hash as u32 & 0x7fff_ffff) % shards.max(1)
}

/// The stable hash that spreads keys over shards: the first four bytes of SHA-256, big-endian.
/// Postgres computes the same for `outbox.emit` with its built-in `sha256`. Events without a key
/// are hashed by id.
pub(crate) fn key_hash(key: Option<&str>, id: Uuid) -> i32 {
    let digest = match key {
        Some(key) => Sha256::digest(key.as_bytes()),
        None => Sha256::digest(id.hyphenated().to_string().as_bytes()),
    };
    i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_never_changes() {
        // The published SHA-256 test vectors (FIPS 180-4) for "" and "abc".
        assert_eq!(key_hash(Some(""), Uuid::nil()) as u32, 0xe3b0_c442);
        assert_eq!(key_hash(Some("abc"), Uuid::nil()) as u32, 0xba78_16bf);
    }

    #[test]
    fn options_of_keys_are_keys() {
        assert_eq!(Some(7_u64).to_key().as_deref(), Some("7"));
        assert_eq!(None::<String>.to_key(), None);
    }
}
