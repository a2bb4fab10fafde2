//! Snapshots of a sandbox: states of all that it holds, kept to be put back or to be given to other sandboxes.

use super::ids::SnapshotId;
use super::time::Time;

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
}
