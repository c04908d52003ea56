//! Formats of strings: which text has one, and an example of each.

/// Whether the text has the format; `None` for a format that is not known here.
pub(crate) fn has(format: &str, text: &str) -> Option<bool> {
    Some(match format {
        "uuid" => is_uuid(text),
        "date" => is_date(text),
        "time" | "partial-time" => is_time(text, format == "time"),
        "date-time" => text
            .split_once(['T', 't', ' '])
            .is_some_and(|(date, time)| is_date(date) && is_time(time, true)),
        "partial-date-time" => text
            .split_once(['T', ' '])
            .is_some_and(|(date, time)| is_date(date) && is_time(time, false)),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "ip" => text.parse::<std::net::IpAddr>().is_ok(),
        "email" => text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(' ')
        }),
        "uri" => text.split_once(':').is_some_and(|(scheme, _)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                && !text.contains([' ', '<', '>', '"', '{', '}', '|', '\\', '^', '`'])
        }),
        "char" => text.chars().count() == 1,
        _ => return None,
    })
}

/// A text of the format.
pub(crate) fn example(format: &str) -> Option<&'static str> {
    Some(match format {
        "uuid" => "00000000-0000-0000-0000-000000000000",
        "date" => "2026-01-31",
        "time" => "09:00:00Z",
        "partial-time" => "09:00:00",
        "date-time" => "2026-01-31T09:00:00Z",
        "partial-date-time" => "2026-01-31T09:00:00",
        "ipv4" | "ip" => "127.0.0.1",
        "ipv6" => "::1",
        "email" => "a@example.com",
        "uri" => "https://example.com/",
        "char" => "a",
        _ => return None,
    })
}

/// Formats all of whose texts have the other one as well.
pub(crate) fn implies(format: &str, other: &str) -> bool {
    format == other || matches!((format, other), ("ipv4" | "ipv6", "ip"))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, letter)| match index {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}

fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str, with_offset: bool) -> bool {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    if offset.is_some() != with_offset {
        return false;
    }
    let offset_is_good = offset.is_none_or(|offset| {
        matches!(offset, "Z" | "z")
            || offset[1..].split_once(':').is_some_and(|(hours, minutes)| {
                digits(hours, 2).is_some_and(|h| h < 24)
                    && digits(minutes, 2).is_some_and(|m| m < 60)
            })
    });
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let fraction_is_good =
        fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    offset_is_good
        && fraction_is_good
        && digits(hour, 2).is_some_and(|hour| hour < 24)
        && digits(minute, 2).is_some_and(|minute| minute < 60)
        && digits(second, 2).is_some_and(|second| second <= 60)
}
