//! The only reader of the wall clock. Tests and seeded runs hand in a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Time;

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    Real,
    /// One that stands still until it is moved.
    Stopped(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now`.
    pub fn stopped(now: Time) -> Clock {
        Clock::Stopped(Arc::new(AtomicI64::new(now.0)))
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        match self {
            Clock::Real => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Clock::Stopped(millis) => Time(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a stopped clock forward; a real one moves by itself.
    pub fn advance(&self, millis: i64) {
        if let Clock::Stopped(now) = self {
            now.fetch_add(millis, Ordering::SeqCst);
        }
    }
}
