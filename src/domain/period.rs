//! Months by which something is billed, and days without a time.

use std::fmt;

use super::time::Time;

/// The milliseconds of a day.
pub const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// A month of the calendar, as `2026-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The year, from 0 to 9999.
    year: u16,
    /// The month, from 1 to 12.
    month: u8,
}

impl Period {
    /// The month of a moment; the first or the last one that can be written where the moment is beyond it.
    pub fn of(moment: Time) -> Period {
        let (year, month) = moment.month();
        match (u16::try_from(year), u8::try_from(month)) {
            (Ok(year), Ok(month)) if year <= 9999 => Period { year, month },
            _ if year < 0 => Period { year: 0, month: 1 },
            _ => Period { year: 9999, month: 12 },
        }
    }

    /// The month of that text.
    pub fn parse(text: &str) -> Option<Period> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
        if !digits(year) || !digits(month) {
            return None;
        }
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(Period { year, month })
    }

    /// The first moment of a day of the month, which it has to have: 1 to 28.
    pub fn day(self, day: u8) -> Time {
        Time::of_date(i64::from(self.year), i64::from(self.month), i64::from(day))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A day as a whole, or a moment of one, as somebody says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOrMoment {
    /// The day that begins then.
    Day(Time),
    /// That moment.
    Moment(Time),
}

impl DayOrMoment {
    /// The moment, of a day its first one.
    pub fn start(self) -> Time {
        match self {
            DayOrMoment::Day(at) | DayOrMoment::Moment(at) => at,
        }
    }

    /// The first moment behind it.
    pub fn end(self) -> Time {
        match self {
            DayOrMoment::Day(at) => at.plus_millis(DAY_MILLIS),
            DayOrMoment::Moment(at) => at.plus_millis(1),
        }
    }
}

/// The first moment of the day of a moment.
pub fn day_of(moment: Time) -> Time {
    moment.plus_millis(-moment.0.rem_euclid(DAY_MILLIS))
}

/// How many whole days have gone by; none before `start`.
pub fn days_between(start: Time, now: Time) -> i64 {
    now.0.saturating_sub(start.0).max(0) / DAY_MILLIS
}

/// A quotient rounded to the nearest whole number, halves up. The divisor is positive.
pub fn rounded(number: i128, divisor: i128) -> i64 {
    clamped((number * 2 + divisor).div_euclid(divisor * 2))
}

/// The number, or the nearest one that fits into 64 bits.
pub fn clamped(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::{Period, day_of, days_between, rounded};
    use crate::domain::time::Time;

    #[test]
    fn a_month_is_written_with_a_hyphen_and_read_again() {
        for text in ["2026-03", "1970-01", "0000-12", "9999-12"] {
            assert_eq!(Period::parse(text).map(|period| period.to_string()).as_deref(), Some(text));
        }
        for text in ["", "2026", "2026-00", "2026-13", "26-03", "2026-3", "2026-+3", "+026-03", "2026-03-01"] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_of_a_month_are_moments_of_it() {
        let march = Period::of(Time(1_772_366_400_000));
        assert_eq!(march.to_string(), "2026-03");
        assert_eq!(march.day(1), day_of(Time(1_772_366_400_000)));
        assert_eq!(days_between(march.day(1), march.day(28)), 27);
        assert_eq!(days_between(march.day(28), march.day(1)), 0);
        assert_eq!(Period::of(Time(i64::MAX)).to_string(), "9999-12");
        assert_eq!(Period::of(Time(i64::MIN)).to_string(), "0000-01");
    }

    #[test]
    fn halves_go_up() {
        for (number, divisor, quotient) in [(5, 2, 3), (-5, 2, -2), (7, 3, 2), (8, 3, 3), (0, 9, 0)] {
            assert_eq!(rounded(number, divisor), quotient, "{number} / {divisor}");
        }
        assert_eq!(rounded(i128::from(i64::MAX) * 4, 1), i64::MAX);
    }
}
