//! Sandboxes as a whole, for the edge that test suites speak to. A change that is under way lands before or after, never
//! between; what is remembered here of accounts is made right.

use std::sync::Arc;

use super::App;
use crate::domain::account::Account;
use crate::domain::event::Cause;
use crate::domain::ids::SnapshotId;
use crate::domain::snapshot::Snapshot;
use crate::engine::{Done, sandboxes};

impl App {
    /// Removes all that the sandbox holds, its snapshots apart.
    pub async fn wipe_sandbox(&self, account: Arc<Account>, cause: Cause) -> Done<()> {
        self.transact(account, cause, |tx, ctx| sandboxes::wipe(tx, ctx)).await
    }

    /// Keeps all that the sandbox holds.
    pub async fn snapshot(&self, account: Arc<Account>, cause: Cause, name: Option<String>) -> Done<Snapshot> {
        self.transact(account, cause, move |tx, ctx| sandboxes::snapshot(tx, ctx, name.clone())).await
    }

    /// The snapshots of the sandbox, newest first.
    pub async fn snapshots(&self, account: Arc<Account>) -> Done<Vec<Snapshot>> {
        self.look(move |read| sandboxes::snapshots(read, &account)).await
    }

    /// Makes the sandbox what it was when the snapshot was taken.
    pub async fn restore(&self, account: Arc<Account>, cause: Cause, id: SnapshotId) -> Done<Snapshot> {
        self.transact(account, cause, move |tx, ctx| sandboxes::restore(tx, ctx, &id)).await
    }

    /// Gives another sandbox all that is in the snapshot, in place of what it holds.
    pub async fn fork(&self, account: Arc<Account>, cause: Cause, id: SnapshotId, to: &Account) -> Done<()> {
        let space = to.space;
        let forked = self.transact(account, cause, move |tx, ctx| sandboxes::fork(tx, ctx, &id, space)).await?;
        self.accounts.write().insert(space, Arc::new(forked));
        // Whoever follows the other sandbox is not woken by what is written for this one.
        self.feed.wake(space);
        Ok(())
    }

    /// Forgets the snapshot.
    pub async fn forget_snapshot(&self, account: Arc<Account>, cause: Cause, id: SnapshotId) -> Done<Snapshot> {
        self.transact(account, cause, move |tx, ctx| sandboxes::forget(tx, ctx, &id)).await
    }
}
