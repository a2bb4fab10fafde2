//! Moments in the words of RFC 3339. They are written to the millisecond and in UTC, `2026-11-21T03:34:27.125Z`, and read
//! with any offset.

use crate::domain::time::Time;

/// The moment's 24 characters. A moment outside the years 0 to 9999 is written as the nearest one inside.
pub fn bytes(at: Time) -> [u8; 24] {
    const FIRST: i64 = -62_167_219_200_000;
    const LAST: i64 = 253_402_300_799_999;
    let millis = at.0.clamp(FIRST, LAST);
    let (day, in_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = date(day);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    for (end, digits, mut number) in [
        (4, 4, year),
        (7, 2, month),
        (10, 2, day),
        (13, 2, in_day / 3_600_000),
        (16, 2, in_day / 60_000 % 60),
        (19, 2, in_day / 1_000 % 60),
        (23, 3, in_day % 1_000),
    ] {
        for digit in text[end - digits..end].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    text
}

/// The moment as a text of its own.
pub fn text(at: Time) -> String {
    String::from_utf8_lossy(&bytes(at)).into_owned()
}

/// The moment of a text, with whatever offset; what is finer than a millisecond is left out. A leap second is no moment here.
pub fn parse(text: &str) -> Option<Time> {
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't'])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let [year, month, of_month] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let (millis, offset) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let fraction = &rest[..end];
            let millis = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok().filter(|_| end > 0)?;
            (millis, &rest[end..])
        }
    };
    let offset_minutes = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if sign == "-" { -minutes } else { minutes }
        }
        _ => return None,
    };
    let in_day = (hour < 24 && minute < 60 && second < 60).then_some((hour * 60 + minute) * 60 + second)?;
    let first_of_month = first_day(year, month)?;
    let day = first_of_month + of_month - 1;
    // A day that the month does not have is one of another month.
    if date(day) != (year, month, of_month) {
        return None;
    }
    Some(Time(((day * 86_400 + in_day) - offset_minutes * 60) * 1_000 + millis))
}

/// Numbers of exactly so many digits, with that between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The day, counted from 1970-01-01, that a month begins with.
fn first_day(year: i64, month: i64) -> Option<i64> {
    if !(1..=12).contains(&month) {
        return None;
    }
    let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_in_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let in_year = (153 * march_month + 2) / 5;
    let in_era = year_in_era * 365 + year_in_era / 4 - year_in_era / 100 + in_year;
    Some(era * 146_097 + in_era - 719_468)
}

/// Year, month and day of a day counted from 1970-01-01. Years are taken to begin in March, so that the leap day is
/// their last and 400 of them are always 146,097 days.
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let march_month = (5 * in_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_in_era + i64::from(month <= 2);
    (year, month, in_year - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::{parse, text};
    use crate::domain::time::Time;

    #[test]
    fn moments_are_written_to_the_millisecond() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_772_323_199_007, "2026-02-28T23:59:59.007Z"),
            (1_795_232_067_125, "2026-11-21T03:34:27.125Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(text(Time(millis)), expected);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for millis in (-62_167_219_200_000..253_402_300_799_999).step_by(86_400_000 * 29 + 12_345_678) {
            assert_eq!(parse(&text(Time(millis))), Some(Time(millis)));
        }
    }

    #[test]
    fn moments_are_read_with_any_offset() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01t01:00:00.5+01:00", Some(500)),
            ("1969-12-31T23:30:00.0009-00:30", Some(0)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2023-02-29T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-01-00T00:00:00Z", None),
            ("2023-01-01T24:00:00Z", None),
            ("2023-01-01T00:00:60Z", None),
            ("2023-01-01T00:00:00", None),
            ("2023-01-01T00:00:00.Z", None),
            ("2023-01-01T00:00:00+1:00", None),
            ("2023-01-01 00:00:00Z", None),
            ("2023-01-01T00:00:00Zx", None),
            ("+023-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|at| at.0), millis, "{text}");
        }
    }
}
