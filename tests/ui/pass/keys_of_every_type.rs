//! Strings, integers, `Uuid`s, references to them, and types of the user's are keys.

use std::borrow::Cow;

use outbox_runtime::{Event, EventKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize, JsonSchema)]
struct AccountId(String);

impl EventKey for AccountId {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        self.0.to_key()
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Region {
    North,
}

impl EventKey for Region {
    fn to_key(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::North => Some(Cow::Borrowed("north")),
        }
    }
}

macro_rules! keyed {
    ($($event:ident: $type:ty = $value:expr => $key:literal;)+) => {
        $(
            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(name = "keyed", key = key)]
            struct $event {
                key: $type,
            }
        )+

        fn main() {
            $(assert_eq!($event { key: $value }.key().as_deref(), Some($key));)+
        }
    };
}

keyed! {
    Text: String = "a".to_owned() => "a";
    Shared: Cow<'static, str> = "a".into() => "a";
    Byte: u8 = 7 => "7";
    Signed: i32 = -7 => "-7";
    Wide: u64 = u64::MAX => "18446744073709551615";
    Widest: i128 = i128::MIN => "-170141183460469231731687303715884105728";
    Id: Uuid = Uuid::nil() => "00000000-0000-0000-0000-000000000000";
    Account: AccountId = AccountId("a".to_owned()) => "a";
    Where: Region = Region::North => "north";
    Nested: Option<Option<u8>> = Some(Some(7)) => "7";
}
