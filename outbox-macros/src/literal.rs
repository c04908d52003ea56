//! What string literals in attributes say: names, durations and times.

use std::time::Duration;

/// Longest name of an event or a consumer, in bytes: the runtime's `MAX_NAME_BYTES`.
const MAX_NAME_BYTES: usize = 128;

/// Longest duration. A longer one is a mistake, and would overflow times in the database.
const MAX_DURATION: Duration = Duration::from_secs(3650 * 86_400);

/// Says why this cannot be the name of `what` (an event, a consumer).
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), String> {
    if is_valid_name(name) {
        return Ok(());
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(format!("this {what} name has {} bytes; at most {MAX_NAME_BYTES}", name.len()));
    }
    let rule = "write lowercase segments of a-z, 0-9, `_` and `-` joined by `.`, `:` or `/`";
    let words: Vec<String> = name
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let example = if words.is_empty() { "order.placed".to_owned() } else { words.join(".") };
    Err(format!("invalid {what} name `{name}`: {rule}, such as \"{example}\""))
}

/// The runtime's `is_valid_name`.
fn is_valid_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.split(['.', ':', '/']).all(|segment| {
            !segment.is_empty()
                && segment.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        })
}

/// Reads `"500ms"`, `"20s"`, `"10m"`, `"4h"` or `"7d"`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let Some(unit_ms) = unit_ms(unit) else {
        return Err(format!("invalid duration \"{text}\": {}", duration_hint(number, unit)));
    };
    let Ok(number) = number.parse::<u64>() else {
        return Err(format!("invalid duration \"{text}\": {}", duration_hint(number, unit)));
    };
    let duration = number.checked_mul(unit_ms).map(Duration::from_millis);
    match duration {
        Some(duration) if duration <= MAX_DURATION => Ok(duration),
        _ => Err(format!("the duration \"{text}\" is too long: at most \"3650d\"")),
    }
}

fn unit_ms(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    }
}

/// The same duration as it should be written, where it can be guessed.
fn duration_hint(number: &str, unit: &str) -> String {
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => Some("ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => Some("s"),
        "m" | "min" | "mins" | "minute" | "minutes" => Some("m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "d" | "day" | "days" => Some("d"),
        _ => None,
    };
    match unit {
        Some(unit) if !number.is_empty() => format!("write \"{number}{unit}\""),
        _ => "write a whole number and one of the units ms, s, m, h, d, such as \"10m\" or \
              \"500ms\""
            .to_owned(),
    }
}

/// Reads `"1s..15m"`: from, to.
pub(crate) fn parse_backoff(text: &str) -> Result<(Duration, Duration), String> {
    let Some((min, max)) = text.split_once("..") else {
        return Err(match parse_duration(text) {
            Ok(_) => format!("backoff is a range: write \"{text}..15m\", or \"{text}..{text}\""),
            Err(_) => format!("invalid backoff \"{text}\": write a range such as \"1s..15m\""),
        });
    };
    let range = (parse_duration(min)?, parse_duration(max)?);
    if range.0 > range.1 {
        return Err(format!("backoff is reversed: write \"{max}..{min}\""));
    }
    Ok(range)
}

/// Reads an RFC 3339 time, such as `2026-01-31T09:00:00Z`: seconds since 1970 and nanoseconds.
pub(crate) fn parse_time(text: &str) -> Result<(i64, u32), String> {
    time_parts(text).ok_or_else(|| {
        format!(
            "invalid time \"{text}\": write it as in RFC 3339, such as \"2026-01-31T09:00:00Z\""
        )
    })
}

fn time_parts(text: &str) -> Option<(i64, u32)> {
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, offset) = match clock.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, 0),
        None => {
            let (clock, offset) = clock.split_at(clock.rfind(['+', '-'])?);
            let [hours, minutes] = numbers(&offset[1..], ':', [2, 2])?;
            let seconds = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
            (clock, if offset.starts_with('-') { -seconds } else { seconds })
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let all_digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let nanos = (all_digits && fraction.len() <= 9)
        .then(|| format!("{fraction:0<9}").parse().ok())
        .flatten()?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let days = days_since_1970(year, month, day);
    in_range.then_some((days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanos))
}

/// Numbers of so many digits each, with a separator between them.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let well_formed = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        *number = well_formed.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, ms) in [
            ("500ms", 500),
            ("20s", 20_000),
            ("10m", 600_000),
            ("4h", 14_400_000),
            ("7d", 604_800_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn malformed_durations_say_what_to_write() {
        for (text, hint) in [
            ("10 mins", "write \"10m\""),
            ("10minutes", "write \"10m\""),
            ("5 s", "write \"5s\""),
            ("1 day", "write \"1d\""),
            ("10", "such as \"10m\""),
            ("", "such as \"10m\""),
            ("m", "such as \"10m\""),
            ("1.5h", "such as \"10m\""),
            ("-1s", "such as \"10m\""),
            ("1h30m", "such as \"10m\""),
            ("3651d", "at most"),
            ("99999999999999999999d", "write"),
            ("18446744073709551615d", "at most"),
        ] {
            let message = parse_duration(text).expect_err(text);
            assert!(message.contains(hint), "{text}: {message}");
        }
    }

    #[test]
    fn backoff_is_a_range_from_low_to_high() {
        let seconds = Duration::from_secs;
        assert_eq!(parse_backoff("1s..15m"), Ok((seconds(1), seconds(900))));
        assert_eq!(parse_backoff("5s..5s"), Ok((seconds(5), seconds(5))));
        for (text, hint) in [
            ("10m..1s", "backoff is reversed: write \"1s..10m\""),
            ("5s", "write \"5s..15m\""),
            ("soon", "write a range"),
            ("1s..", "invalid duration"),
            ("1s..=15m", "invalid duration"),
        ] {
            let message = parse_backoff(text).expect_err(text);
            assert!(message.contains(hint), "{text}: {message}");
        }
    }

    #[test]
    fn times_are_read_as_in_rfc_3339() {
        for (text, time) in [
            ("1970-01-01T00:00:00Z", (0, 0)),
            ("1969-12-31T23:59:59Z", (-1, 0)),
            ("2000-02-29T12:00:00.5Z", (951_825_600, 500_000_000)),
            ("2026-01-31T09:00:00+01:00", (1_769_846_400, 0)),
            ("2026-01-31t09:00:00-00:30", (1_769_851_800, 0)),
        ] {
            assert_eq!(parse_time(text), Ok(time), "{text}");
        }
        for text in [
            "2026-01-31",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-1-1T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:00:00",
            "2026-01-31T09:00Z",
            "2026-01-31T09:00:00.Z",
            "yesterday",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_in_use_out_there_are_valid() {
        for name in ["machine:created", "stripe:invoice.paid", "order.placed", "a", "rpc/x-y_z"] {
            assert_eq!(check_name("event", name), Ok(()), "{name}");
        }
    }

    #[test]
    fn malformed_names_say_what_to_write() {
        for (name, hint) in [
            ("Order Placed", "such as \"order.placed\""),
            ("order..placed", "such as \"order.placed\""),
            (".", "such as \"order.placed\""),
            ("", "such as"),
            (&*"a".repeat(129), "129 bytes"),
        ] {
            let message = check_name("event", name).expect_err(name);
            assert!(message.contains(hint), "{name}: {message}");
        }
    }
}
