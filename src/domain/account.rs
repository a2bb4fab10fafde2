//! The unit of isolation. Everything a caller can see belongs to one account in one mode.

use std::fmt;

use super::ids::AccountId;
use super::money::Currency;
use super::snapshot::Snapshot;
use super::time::Time;
use super::unit::UnitSettings;

/// The number that begins the key of every row: one account in one mode. It is a digest of the account's ids and its
/// mode, so that a caller's key alone says where its rows are and no counter crosses accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub i64);

/// Which of an account's two worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Nothing in it is real.
    Test,
    /// Real customers.
    Live,
}

impl Mode {
    /// The other world of the same account.
    pub fn other(self) -> Mode {
        match self {
            Mode::Test => Mode::Live,
            Mode::Live => Mode::Test,
        }
    }

    /// `test` or `live`, as keys spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Test => "test",
            Mode::Live => "live",
        }
    }
}

/// By which an account tells equal numbers, and nobody else does. Never changes.
#[derive(Clone, PartialEq, Eq)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// The key of those bytes, which nobody can foretell.
    pub fn new(bytes: [u8; 32]) -> FingerprintKey {
        FingerprintKey(bytes)
    }

    /// Its bytes, for those who make fingerprints and for those who keep the key.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey")
    }
}

/// What is known of an account in one mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Where its rows are.
    pub space: Space,
    /// Where the rows of the same account in the other mode are.
    pub other_space: Space,
    /// Its public id.
    pub id: AccountId,
    /// The account whose keys act for this one, when it is a connected account.
    pub parent: Option<AccountId>,
    /// Test or live.
    pub mode: Mode,
    /// When it was made.
    pub created: Time,
    /// What people call it.
    pub display_name: Option<String>,
    /// The currency that a balance gets when the customer has none.
    pub default_currency: Currency,
    /// Two-letter country code, upper-case.
    pub country: String,
    /// The API version that speaks when the caller names none, in the dialect's own spelling.
    pub api_version: String,
    /// Made when the account has its first number to tell from others.
    pub fingerprint_key: Option<FingerprintKey>,
    /// Of a developer's sandbox: its snapshots, oldest first; at most [`MAX_SNAPSHOTS`](super::snapshot::MAX_SNAPSHOTS).
    pub snapshots: Vec<Snapshot>,
    /// The business unit that the account is for those who rent out.
    pub unit: UnitSettings,
}
