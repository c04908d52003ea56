//! Times as people write them.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use outbox_runtime::{Backend, Result};

use super::database::AnyOutbox;

/// A time, or how long ago it was by the database's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(DateTime<Utc>),
    Ago(Duration),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        humantime::parse_duration(text).map(Self::Ago).map_err(|_| {
            "a time such as `2026-11-27T03:00:00Z`, or how long ago it was, such as `2h` or `15m`"
                .to_owned()
        })
    }
}

impl When {
    pub(super) async fn on<DB: Backend>(self, outbox: &AnyOutbox<DB>) -> Result<DateTime<Utc>> {
        match self {
            Self::At(at) => Ok(at),
            Self::Ago(ago) => {
                let now = outbox.now().await?;
                let then =
                    TimeDelta::from_std(ago).ok().and_then(|ago| now.checked_sub_signed(ago));
                Ok(then.unwrap_or(DateTime::<Utc>::UNIX_EPOCH))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_or_told_by_how_long_ago_they_were() {
        let at = DateTime::parse_from_rfc3339("2026-11-27T03:00:00Z").expect("a time").to_utc();
        assert_eq!("2026-11-27T05:00:00+02:00".parse(), Ok(When::At(at)));
        assert_eq!("1h 30m".parse(), Ok(When::Ago(Duration::from_secs(5_400))));
        assert!("yesterday".parse::<When>().is_err_and(|error| error.contains("`2h`")));
    }
}
