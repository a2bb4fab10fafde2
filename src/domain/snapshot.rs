//! Snapshots of a sandbox: states of all that it holds, kept to be put back or to be given to other sandboxes.

use super::account::Account;
use super::ids::SnapshotId;
use super::money::Currency;
use super::time::Time;
use super::unit::UnitSettings;

/// The most snapshots of one sandbox. In memory they share what they have in common, where rows are kept each is a copy.
pub const MAX_SNAPSHOTS: usize = 100;

/// The longest name of a snapshot, in characters.
pub const MAX_SNAPSHOT_NAME: usize = 200;

/// A state of a sandbox that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// What people call it.
    pub name: Option<String>,
    /// When it was taken.
    pub created: Time,
    /// The currency and the unit that all in it was written for; `None` of a snapshot from before they were kept.
    pub unit: Option<KeptUnit>,
}

/// What amounts and orders in a snapshot go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptUnit {
    /// The account's currency.
    pub currency: Currency,
    /// The settings of its unit, without the tenant id, which is the sandbox's own.
    pub settings: UnitSettings,
}

impl KeptUnit {
    /// That of an account.
    pub fn of(account: &Account) -> KeptUnit {
        let settings = UnitSettings { tenant: None, ..account.unit.clone() };
        KeptUnit { currency: account.default_currency, settings }
    }

    /// The account with this currency and these settings, under the tenant id that it has.
    pub fn onto(self, account: Account) -> Account {
        let KeptUnit { currency, settings } = self;
        let unit = UnitSettings { tenant: account.unit.tenant.clone(), ..settings };
        Account { default_currency: currency, unit, ..account }
    }
}
