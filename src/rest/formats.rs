//! Formats of texts that several dialects know.

use super::shape::Format;
use crate::domain::time::Time;
use crate::rfc3339;

/// An e-mail address, as far as it is judged: one `@` with something on either side and no space.
pub static EMAIL: Format = Format {
    name: Some("email"),
    pattern: Some("^[^@\\s\\u0000-\\u001f]+@[^@\\s\\u0000-\\u001f]+$"),
    words: None,
    wanted: "an e-mail address",
    read: |text| {
        let plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        let (user, host) = text.split_once('@')?;
        (plain && !user.is_empty() && !host.is_empty() && !host.contains('@')).then(|| text.to_owned())
    },
};

/// A moment: RFC 3339, with any offset. It is kept as milliseconds in UTC.
pub static MOMENT: Format = Format {
    name: Some("date-time"),
    pattern: None,
    words: None,
    wanted: "a moment as 2026-03-01T12:00:00.000Z",
    read: |text| rfc3339::parse(text).map(rfc3339::text),
};

/// A day of the calendar, as 2026-03-01.
pub static DATE: Format = Format {
    name: Some("date"),
    pattern: None,
    words: None,
    wanted: "a date as 2026-03-01",
    read: |text| (text.len() == 10).then(|| day(text).map(|_| text.to_owned())).flatten(),
};

/// A day of the calendar or a moment, each kept as it is: [`DayOrMoment`](crate::domain::period::DayOrMoment) tells which.
pub static DAY_OR_MOMENT: Format = Format {
    name: None,
    pattern: None,
    words: None,
    wanted: "a date as 2026-03-01 or a moment as 2026-03-01T12:00:00.000Z",
    read: |text| (DATE.read)(text).or_else(|| (MOMENT.read)(text)),
};

/// A month of the calendar, as 2026-03.
pub static MONTH: Format = Format {
    name: None,
    pattern: Some("^[0-9]{4}-(0[1-9]|1[0-2])$"),
    words: None,
    wanted: "a month as 2026-03",
    read: |text| (text.len() == 7 && day(&format!("{text}-01")).is_some()).then(|| text.to_owned()),
};

/// A country's two letters of ISO 3166-1, kept in capitals.
pub static COUNTRY: Format = Format {
    name: None,
    pattern: None,
    words: Some(|| rust_iso3166::ALL.iter().map(|country| country.alpha2.to_owned()).collect()),
    wanted: "a two-letter country code of ISO 3166-1",
    read: |text| {
        let code = text.to_ascii_uppercase();
        (code.len() == 2 && rust_iso3166::from_alpha2(&code).is_some()).then_some(code)
    },
};

/// An absolute URL that a browser can open.
pub static WEB_ADDRESS: Format = Format {
    name: Some("uri"),
    pattern: Some("^https?://[^\\s]+$"),
    words: None,
    wanted: "an http or https URL",
    read: |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        (plain && !rest.is_empty()).then(|| text.to_owned())
    },
};

/// The first moment of a day.
pub fn day(text: &str) -> Option<Time> {
    rfc3339::parse(&format!("{text}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::{COUNTRY, DATE, DAY_OR_MOMENT, EMAIL, Format, MOMENT, MONTH, WEB_ADDRESS};

    #[track_caller]
    fn check(format: &Format, good: &[(&str, &str)], bad: &[&str]) {
        for (text, kept) in good {
            assert_eq!((format.read)(text).as_deref(), Some(*kept), "{text}");
        }
        for text in bad {
            assert_eq!((format.read)(text), None, "{text}");
        }
    }

    #[test]
    fn texts_look_as_they_have_to() {
        check(
            &EMAIL,
            &[("A@b", "A@b"), ("ä+1@b.c", "ä+1@b.c")],
            &["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\u{a0}c"],
        );
        check(
            &MOMENT,
            &[
                ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z"),
                ("2026-03-01t12:00:00.12345+01:30", "2026-03-01T10:30:00.123Z"),
            ],
            &["", "2026-03-01", "2026-02-29T00:00:00Z", "2026-03-01T12:00:00", "2026-03-01T24:00:00Z"],
        );
        check(&DATE, &[("2024-02-29", "2024-02-29")], &["2026-02-29", "2026-2-01", "", "2026-03-01T"]);
        check(
            &DAY_OR_MOMENT,
            &[("2024-02-29", "2024-02-29"), ("2026-03-01T12:00:00+01:00", "2026-03-01T11:00:00.000Z")],
            &["2026-02-29", "2026-03", "2026-03-01T12:00:00", ""],
        );
        check(&MONTH, &[("2026-12", "2026-12")], &["2026-13", "2026-1", "26-12-0"]);
        check(&COUNTRY, &[("tz", "TZ"), ("US", "US")], &["XX", "Tanzania", "", "UÄ"]);
        check(&WEB_ADDRESS, &[("https://a.b/c", "https://a.b/c")], &["a.b", "https://", "ftp://a", "http://a b"]);
    }
}
