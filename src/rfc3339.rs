//! A moment in the words of RFC 3339, to the millisecond and in UTC: `2026-11-21T03:34:27.125Z`.

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
    use super::text;
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
}
