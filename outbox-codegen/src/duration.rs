//! Durations as the macros read them: `500ms`, `90s`, `15m`, `4h`.

use std::time::Duration;

const UNITS: [(u128, &str); 4] = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];

/// The duration in the largest unit that tells it exactly; below a millisecond as Rust writes it.
pub(crate) fn short(duration: Duration) -> String {
    let millis = duration.as_millis();
    if duration.is_zero() {
        return "0s".to_owned();
    }
    if Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)) != duration {
        return format!("{duration:?}");
    }
    let exact = UNITS.iter().find(|(unit, _)| millis.is_multiple_of(*unit));
    exact.map_or_else(|| format!("{duration:?}"), |(unit, name)| format!("{}{name}", millis / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_exactly_in_one_unit() {
        let shown = [0, 1, 1_500, 60_000, 90_000, 7_200_000].map(Duration::from_millis).map(short);
        assert_eq!(shown, ["0s", "1ms", "1500ms", "1m", "90s", "2h"]);
        assert_eq!(short(Duration::from_micros(1_500)), "1.5ms");
    }
}
