//! Moments and stretches of time. Milliseconds since the Unix epoch, UTC; every dialect renders its own.

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Whole seconds since the Unix epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The first moment of a whole second; `None` when it does not fit.
    pub fn from_seconds(seconds: i64) -> Option<Time> {
        seconds.checked_mul(1000).map(Time)
    }

    /// This moment moved by some milliseconds (either way), stopping at the ends of the range.
    pub fn plus_millis(self, millis: i64) -> Time {
        Time(self.0.saturating_add(millis))
    }

    /// The first moment of a day of the calendar, by its year, its month from 1 and its day, stopping at the ends of the
    /// range.
    pub fn of_date(year: i64, month: i64, day: i64) -> Time {
        Time((days_before(year, month - 1) + day - 1).saturating_mul(DAY_MILLIS))
    }

    /// The year and the month, 1 to 12, of the calendar.
    pub fn month(self) -> (i64, i64) {
        let (year, month, _) = civil(self.0.div_euclid(DAY_MILLIS));
        (year, month + 1)
    }

    /// The same time of day so many months later in the calendar, on the last day of a month that is too short for the
    /// day, stopping at the end of the range.
    pub fn plus_months(self, months: u32) -> Time {
        let (year, month, day) = civil(self.0.div_euclid(DAY_MILLIS));
        let month = month + i64::from(months);
        let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
        let day = day.min(days_before(year, month + 1) - days_before(year, month));
        let days = days_before(year, month) + day - 1;
        let moment = i128::from(days) * i128::from(DAY_MILLIS) + i128::from(self.0.rem_euclid(DAY_MILLIS));
        Time(i64::try_from(moment).unwrap_or(i64::MAX))
    }
}

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The days from 1970-01-01 to the first of a month; January is 0, and 12 is the next January. Counted from the first of
/// March, so that a leap day is the last of its year.
fn days_before(year: i64, month: i64) -> i64 {
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 1970-01-01 is 719 468 days behind the first of March of the year 0.
    year * 365 + leap_days + (month * 153 + 2) / 5 - 719_468
}

/// The year, the month from 0 and the day from 1 of so many days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // 400 years have 146 097 days. The guess is never too late by more than one.
    let mut year = 1970 + days * 400 / 146_097;
    while days_before(year, 0) > days {
        year -= 1;
    }
    while days_before(year + 1, 0) <= days {
        year += 1;
    }
    let month = (0..12).rev().find(|month| days_before(year, *month) <= days).unwrap_or(0);
    (year, month, days - days_before(year, month) + 1)
}

#[cfg(test)]
mod tests {
    use super::{DAY_MILLIS, Time, civil, days_before};

    /// A moment of a day, by year, month from 1 and day.
    fn on((year, month, day): (i64, i64, i64)) -> Time {
        Time((days_before(year, month - 1) + day - 1) * DAY_MILLIS + 45_296_789)
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (date, day) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2026, 3, 1), 20_513),
            ((1600, 1, 1), -135_140),
        ] {
            assert_eq!(on(date).0.div_euclid(DAY_MILLIS), day, "{date:?}");
            assert_eq!(civil(day), (date.0, date.1 - 1, date.2));
            assert_eq!(on(date).month(), (date.0, date.1));
        }
        for day in (-800_000..800_000).step_by(13) {
            let (year, month, day_of_month) = civil(day);
            assert!((0..12).contains(&month) && (1..=31).contains(&day_of_month), "{day}");
            assert_eq!(days_before(year, month) + day_of_month - 1, day);
        }
    }

    #[test]
    fn a_month_later_is_the_same_day_or_the_last_one() {
        for (from, months, to) in [
            ((2026, 3, 1), 1, (2026, 4, 1)),
            ((2026, 1, 31), 1, (2026, 2, 28)),
            ((2028, 1, 31), 1, (2028, 2, 29)),
            ((2026, 12, 31), 2, (2027, 2, 28)),
            ((2026, 8, 31), 1, (2026, 9, 30)),
            ((2024, 2, 29), 12, (2025, 2, 28)),
            ((2026, 11, 30), 25, (2028, 12, 30)),
            ((2026, 5, 31), 0, (2026, 5, 31)),
        ] {
            assert_eq!(on(from).plus_months(months), on(to), "{from:?} and {months}");
        }
        assert_eq!(Time(0).plus_months(u32::MAX), Time(i64::MAX));
        assert_eq!(Time(i64::MAX).plus_months(1), Time(i64::MAX));
    }
}
