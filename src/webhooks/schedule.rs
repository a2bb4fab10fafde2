//! When a delivery that failed is tried again, when it is given up, and when an endpoint that only fails is disabled.

use std::time::Duration;

use crate::domain::time::Time;
use crate::engine::deliveries::Rhythm;
use crate::settings::Webhooks;

/// How many times as long as the one before a wait is. From 10 seconds to 8 hours that makes sixteen to twenty-five attempts
/// in three days.
pub const FACTOR: u32 = 3;

/// When to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    first: Duration,
    longest: Duration,
    give_up_after: Duration,
    disable_after: Option<Duration>,
}

impl Rhythm for Schedule {
    fn again(&self, made: Time, failures: u32, now: Time, dice: u64) -> Option<Time> {
        self.next(made, failures, now, dice)
    }

    fn disables(&self, since: Time, now: Time) -> bool {
        Schedule::disables(self, since, now)
    }
}

impl Schedule {
    /// As those settings have it.
    pub fn new(webhooks: &Webhooks) -> Schedule {
        Schedule {
            first: webhooks.first_retry,
            longest: webhooks.longest_retry,
            give_up_after: webhooks.give_up_after,
            disable_after: webhooks.disable_after,
        }
    }

    /// When a delivery made at `made` is tried again, that has just failed for the `failures`th time (from 1); `None` when it
    /// is given up. A wait is between half of what the schedule says and the whole of it, as `dice`, a random number, has it:
    /// receivers that went away together are not asked together when they come back.
    pub fn next(&self, made: Time, failures: u32, now: Time, dice: u64) -> Option<Time> {
        let whole = FACTOR
            .checked_pow(failures.saturating_sub(1))
            .and_then(|times| self.first.checked_mul(times))
            .map_or(self.longest, |wait| wait.min(self.longest));
        let whole = millis(whole).max(1);
        let half = whole / 2;
        // A remainder of less than 2^40 of a random number of 64 bits is as good as even.
        let part = i64::try_from(dice % (whole - half + 1).unsigned_abs()).unwrap_or(0);
        let due = now.plus_millis(half + part);
        (due <= made.plus_millis(millis(self.give_up_after))).then_some(due)
    }

    /// Whether an endpoint is to be disabled that has done nothing but fail since `since`.
    pub fn disables(&self, since: Time, now: Time) -> bool {
        self.disable_after.is_some_and(|after| since.plus_millis(millis(after)) <= now)
    }
}

/// A span in milliseconds.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Schedule;
    use crate::domain::time::Time;
    use crate::settings::{Openness, Webhooks};

    const MADE: Time = Time(1_700_000_000_000);

    fn schedule(openness: Openness) -> Schedule {
        Schedule::new(&Webhooks::new(openness))
    }

    /// The waits in milliseconds until the delivery is given up, when each attempt fails at once.
    fn waits(schedule: &Schedule, dice: u64) -> Vec<i64> {
        let (mut now, mut waits) = (MADE, Vec::new());
        while let Some(due) = schedule.next(MADE, waits.len() as u32 + 1, now, dice) {
            waits.push(due.0 - now.0);
            now = due;
        }
        waits
    }

    /// The dice that make each wait as long as it can be: what is left over of them is one less than the number of choices.
    fn longest_wait(schedule: &Schedule, failures: u32) -> i64 {
        (0..5_000).filter_map(|dice| schedule.next(MADE, failures, MADE, dice)).map(|due| due.0 - MADE.0).max().unwrap()
    }

    #[test]
    fn waits_grow_until_the_longest_and_end_after_three_days() {
        let serve = schedule(Openness::Serve);
        let waits = waits(&serve, 0);
        assert_eq!(waits[..8], [5_000, 15_000, 45_000, 135_000, 405_000, 1_215_000, 3_645_000, 10_935_000]);
        assert!(waits[8..].iter().all(|wait| *wait == 4 * 3_600_000), "{waits:?}");
        assert!(waits.iter().sum::<i64>() <= 3 * 24 * 3_600_000);
        assert_eq!(waits.len(), 24);
    }

    #[test]
    fn a_developer_waits_for_seconds() {
        assert_eq!(waits(&schedule(Openness::Dev), 0)[..5], [100, 300, 900, 2_500, 2_500]);
    }

    #[test]
    fn chance_takes_up_to_half_of_a_wait() {
        let dev = schedule(Openness::Dev);
        assert_eq!(longest_wait(&dev, 1), 200);
        assert_eq!(longest_wait(&dev, 2), 600);
        let waits: std::collections::BTreeSet<i64> =
            (0..1_000).map(|dice| dev.next(MADE, 1, MADE, dice).unwrap().0 - MADE.0).collect();
        assert_eq!((waits.len(), waits.first(), waits.last()), (101, Some(&100), Some(&200)));
    }

    #[test]
    fn a_delivery_is_given_up_by_its_age() {
        let serve = schedule(Openness::Serve);
        let last = MADE.plus_millis(3 * 24 * 3_600_000);
        assert_eq!(serve.next(MADE, 1, last.plus_millis(-5_000), 0), Some(last));
        assert_eq!(serve.next(MADE, 1, last.plus_millis(-4_999), 0), None);
        assert_eq!(serve.next(MADE, u32::MAX, Time(i64::MAX), u64::MAX), None);
        let never = Webhooks { give_up_after: Duration::ZERO, ..Webhooks::new(Openness::Serve) };
        assert_eq!(Schedule::new(&never).next(MADE, 1, MADE, 0), None);
    }

    #[test]
    fn no_number_is_too_large() {
        let settings = Webhooks {
            first_retry: Duration::MAX,
            longest_retry: Duration::MAX,
            give_up_after: Duration::MAX,
            ..Webhooks::new(Openness::Serve)
        };
        for failures in [0, 1, 40, u32::MAX] {
            assert_eq!(Schedule::new(&settings).next(MADE, failures, Time(i64::MAX), u64::MAX), Some(Time(i64::MAX)));
        }
        let instant = Webhooks { first_retry: Duration::from_nanos(1), ..settings };
        assert!(Schedule::new(&instant).next(MADE, 1, MADE, 7).is_some_and(|due| due <= MADE.plus_millis(1)));
    }

    #[test]
    fn an_endpoint_is_disabled_after_days_of_failing() {
        let serve = schedule(Openness::Serve);
        let four_days = 4 * 24 * 3_600_000;
        assert!(!serve.disables(MADE, MADE.plus_millis(four_days - 1)));
        assert!(serve.disables(MADE, MADE.plus_millis(four_days)));
        assert!(!schedule(Openness::Dev).disables(MADE, Time(i64::MAX)));
    }
}
