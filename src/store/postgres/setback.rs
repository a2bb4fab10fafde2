//! Why an exchange with the database came to nothing, and what is to be done about it.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::trouble::{Meaning, meaning, trouble};
use crate::store::Failure;

/// A failure with what it means for the transaction it ended.
#[derive(Debug)]
pub(super) struct Setback {
    pub meaning: Meaning,
    /// What the server calls it, when it was the server.
    pub state: Option<SqlState>,
    pub failure: Failure,
}

/// What we get of an exchange with the database.
pub(super) type Got<T> = Result<T, Setback>;

impl Setback {
    /// What the driver's error makes of what we were doing.
    pub fn of(doing: &'static str) -> impl Fn(Error) -> Setback {
        move |error| Setback { meaning: meaning(&error), state: error.code().cloned(), failure: trouble(doing)(error) }
    }

    /// The connection or the server took too long.
    pub fn late(doing: &'static str) -> Setback {
        Setback::lost(Failure::passing(doing, "the database did not answer in time"))
    }

    /// A statement was prepared before its table changed.
    pub fn is_stale(&self) -> bool {
        self.meaning == Meaning::Again && self.state == Some(SqlState::FEATURE_NOT_SUPPORTED)
    }

    /// There is no connection.
    pub fn lost(failure: Failure) -> Setback {
        Setback { meaning: Meaning::Lost, state: None, failure }
    }
}

/// A record that cannot be read.
impl From<Failure> for Setback {
    fn from(failure: Failure) -> Setback {
        Setback { meaning: Meaning::Refused, state: None, failure }
    }
}

/// What a read answers when what it is asked for must be fetched first. Nobody is told of it: the look or the job runs
/// again.
pub(super) fn lacking() -> Failure {
    Failure::passing("looking", "it has to be fetched first")
}
