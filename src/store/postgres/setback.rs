//! Why an exchange with the database came to nothing, and what is to be done about it.

use tokio_postgres::Error;

use super::trouble::{Meaning, meaning, trouble};
use crate::store::Failure;

/// A failure with what it means for the transaction it ended.
#[derive(Debug)]
pub(super) struct Setback {
    pub meaning: Meaning,
    pub failure: Failure,
}

/// What we get of an exchange with the database.
pub(super) type Got<T> = Result<T, Setback>;

impl Setback {
    /// What the driver's error makes of what we were doing.
    pub fn of(doing: &'static str) -> impl Fn(Error) -> Setback {
        move |error| Setback { meaning: meaning(&error), failure: trouble(doing)(error) }
    }

    /// The connection or the server took too long.
    pub fn late(doing: &'static str) -> Setback {
        Setback { meaning: Meaning::Lost, failure: Failure::passing(doing, "the database did not answer in time") }
    }
}

/// A record that cannot be read.
impl From<Failure> for Setback {
    fn from(failure: Failure) -> Setback {
        Setback { meaning: Meaning::Refused, failure }
    }
}

/// What a read answers when what it is asked for must be fetched first. Nobody is told of it: the look or the job runs
/// again.
pub(super) fn lacking() -> Failure {
    Failure::passing("looking", "it has to be fetched first")
}
