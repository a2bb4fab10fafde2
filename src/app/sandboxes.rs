//! Sandboxes as a whole, for the edge that test suites speak to. A change that is under way lands before or after, never
//! between; what is remembered here of accounts is made right.

use std::sync::Arc;

use super::{App, Known};
use crate::domain::account::Account;
use crate::domain::event::Cause;
use crate::domain::ids::SnapshotId;
use crate::domain::money::Currency;
use crate::domain::snapshot::Snapshot;
use crate::domain::unit::UnitChange;
use crate::engine::units::{self, Changed};
use crate::engine::{Ctx, Done, sandboxes};
use crate::store::{Kept, Tx};

impl App {
    /// Removes all that the sandbox holds, its snapshots apart; its unit and currency are as at first, and its requests go
    /// wrong no more.
    pub async fn wipe_sandbox(&self, account: Arc<Account>, cause: Cause) -> Done<()> {
        let (ids, space) = (self.ids.clone(), account.space);
        let wipe = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| {
            let wiped = sandboxes::wipe(tx, ctx)?;
            // In the transaction, so that nobody is given an id in between.
            settle(tx, || ids.begin_again(space));
            Ok(wiped)
        };
        let wiped = self.transact(account, cause, wipe).await?;
        self.accounts.write().insert(space, Known::now(wiped));
        self.failures().map(|failures| failures.clear(space));
        Ok(())
    }

    /// Keeps all that the sandbox holds.
    pub async fn snapshot(&self, account: Arc<Account>, cause: Cause, name: Option<String>) -> Done<Snapshot> {
        let (ids, space) = (self.ids.clone(), account.space);
        let snapshot = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| {
            let taken = sandboxes::snapshot(tx, ctx, name.clone())?;
            settle(tx, || ids.mark(space, taken.id.as_str()));
            Ok(taken)
        };
        self.transact(account, cause, snapshot).await
    }

    /// The snapshots of the sandbox, newest first.
    pub async fn snapshots(&self, account: Arc<Account>) -> Done<Vec<Snapshot>> {
        self.look(move |read| sandboxes::snapshots(read, &account)).await
    }

    /// Makes the sandbox what it was when the snapshot was taken.
    pub async fn restore(&self, account: Arc<Account>, cause: Cause, id: SnapshotId) -> Done<Snapshot> {
        let (ids, space) = (self.ids.clone(), account.space);
        let restore = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| {
            let restored = sandboxes::restore(tx, ctx, &id)?;
            settle(tx, || ids.back_to(space, id.as_str()));
            Ok(restored)
        };
        let (restored, account) = self.transact(account, cause, restore).await?;
        self.accounts.write().insert(space, Known::now(account));
        Ok(restored)
    }

    /// Gives another sandbox all that is in the snapshot, in place of what it holds.
    pub async fn fork(&self, account: Arc<Account>, cause: Cause, id: SnapshotId, to: &Account) -> Done<()> {
        let space = to.space;
        let ids = self.ids.clone();
        let fork = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| {
            let forked = sandboxes::fork(tx, ctx, &id, space)?;
            settle(tx, || ids.go_farthest(space));
            Ok(forked)
        };
        let forked = self.transact(account, cause, fork).await?;
        self.accounts.write().insert(space, Known::now(forked));
        // Whoever follows the other sandbox is not woken by what is written for this one.
        self.feed.wake(space);
        Ok(())
    }

    /// Changes the unit that the sandbox is, and its currency as long as nothing has happened in it.
    pub async fn change_unit(
        &self,
        account: Arc<Account>,
        change: UnitChange,
        currency: Option<Currency>,
    ) -> Kept<Changed> {
        let space = account.space;
        let chore = move |tx: &mut dyn Tx| units::change(tx, space, change.clone(), currency);
        let changed = self.chore("changing a unit", chore).await?;
        if let Changed::To(account) = &changed {
            self.accounts.write().insert(space, Known::now(Account::clone(account)));
        }
        Ok(changed)
    }

    /// Forgets the snapshot.
    pub async fn forget_snapshot(&self, account: Arc<Account>, cause: Cause, id: SnapshotId) -> Done<Snapshot> {
        let (ids, space) = (self.ids.clone(), account.space);
        let forget = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| {
            let forgotten = sandboxes::forget(tx, ctx, &id)?;
            settle(tx, || ids.forget_mark(space, id.as_str()));
            Ok(forgotten)
        };
        self.transact(account, cause, forget).await
    }
}

/// Has the seed's ids follow what became of the records, unless this is only a rehearsal. A server with a seed keeps nothing
/// on a disk, so that what a transaction has done is done.
fn settle(tx: &mut dyn Tx, follow: impl FnOnce()) {
    if !tx.rehearsal() {
        follow();
    }
}
