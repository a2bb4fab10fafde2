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
}
