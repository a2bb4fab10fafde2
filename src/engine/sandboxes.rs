//! Sandboxes as a whole: empty one, keep its state, put a state back, give it to another one. Nothing is told: the history
//! itself becomes another one.
//!
//! A snapshot lies in a space of its own, which no key opens; the account's own record lists it, which none of this replaces.

use super::{Ctx, Done};
use crate::domain::account::{Account, Space};
use crate::domain::ids::SnapshotId;
use crate::domain::problem::Problem;
use crate::domain::snapshot::{KeptUnit, MAX_SNAPSHOTS, Snapshot};
use crate::domain::unit::UnitSettings;
use crate::identity;
use crate::store::{Failure, Kept, Read, Tx};

/// Removes all that a sandbox holds: records, events, kept replies. It is the unit again that every sandbox is at first. Its
/// snapshots stay. Gives its account as it is now.
pub fn wipe(tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Done<Account> {
    let space = ctx.account.space;
    tx.claim(&[space])?;
    let before = account(tx, space)?;
    let first = KeptUnit { currency: identity::first_currency(), settings: UnitSettings::default() };
    let after = first.onto(before.clone());

    tx.wipe(space)?;
    if after != before {
        tx.put_account(&after)?;
    }
    Ok(after)
}

/// Keeps all that a sandbox holds.
pub fn snapshot(tx: &mut dyn Tx, ctx: &Ctx<'_>, name: Option<String>) -> Done<Snapshot> {
    let space = ctx.account.space;
    let mut id = SnapshotId::mint(ctx.ids);
    tx.claim(&[space, identity::snapshot(ctx.account, &id)])?;
    let mut account = account(tx, space)?;
    // Snapshots outlive an emptied sandbox, whose ids come again when they are drawn from a seed.
    while account.snapshots.iter().any(|known| known.id == id) {
        id = SnapshotId::mint(ctx.ids);
        tx.claim(&[space, identity::snapshot(ctx.account, &id)])?;
    }
    let snapshot = Snapshot { id, name, created: ctx.now, unit: Some(KeptUnit::of(&account)) };
    let kept_at = identity::snapshot(ctx.account, &snapshot.id);
    if account.snapshots.len() >= MAX_SNAPSHOTS {
        return Err(Problem::TooManySnapshots.into());
    }
    account.snapshots.push(snapshot.clone());

    tx.copy(space, kept_at)?;
    tx.put_account(&account)?;
    Ok(snapshot)
}

/// The snapshots of a sandbox, newest first.
pub fn snapshots(read: &mut dyn Read, account: &Account) -> Done<Vec<Snapshot>> {
    let snapshots = read.account(account.space)?.map(|account| account.snapshots).unwrap_or_default();
    Ok(snapshots.into_iter().rev().collect())
}

/// Makes a sandbox what it was when the snapshot was taken. Gives its account as it is now.
pub fn restore(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &SnapshotId) -> Done<(Snapshot, Account)> {
    let (space, kept_at) = (ctx.account.space, identity::snapshot(ctx.account, id));
    tx.claim(&[space, kept_at])?;
    let before = account(tx, space)?;
    let (snapshot, _) = find(before.clone(), id)?;
    let after = match &snapshot.unit {
        Some(unit) => unit.clone().onto(before.clone()),
        None => before.clone(),
    };

    tx.copy(kept_at, space)?;
    if after != before {
        tx.put_account(&after)?;
    }
    Ok((snapshot, after))
}

/// Gives another sandbox all that is in a snapshot, in place of what it holds. Gives its account as it is now.
pub fn fork(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &SnapshotId, to: Space) -> Done<Account> {
    let (space, kept_at) = (ctx.account.space, identity::snapshot(ctx.account, id));
    tx.claim(&[space, kept_at, to])?;
    let (ours, theirs) = (account(tx, space)?, account(tx, to)?);
    let (snapshot, _) = find(ours.clone(), id)?;
    let unit = snapshot.unit.unwrap_or_else(|| KeptUnit::of(&ours));
    // Records hold fingerprints: new cards must have those of equal ones among them.
    let fingerprint_key = ours.fingerprint_key.or(theirs.fingerprint_key.clone());
    let after = Account {
        display_name: ours.display_name,
        country: ours.country,
        api_version: ours.api_version,
        fingerprint_key,
        ..unit.onto(theirs)
    };

    tx.copy(kept_at, to)?;
    tx.put_account(&after)?;
    Ok(after)
}

/// Forgets a snapshot.
pub fn forget(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &SnapshotId) -> Done<Snapshot> {
    let (space, kept_at) = (ctx.account.space, identity::snapshot(ctx.account, id));
    tx.claim(&[space, kept_at])?;
    let (snapshot, account) = find(account(tx, space)?, id)?;

    tx.wipe(kept_at)?;
    tx.put_account(&account)?;
    Ok(snapshot)
}

fn account(tx: &mut dyn Tx, space: Space) -> Kept<Account> {
    let found = tx.account(space)?;
    found.ok_or_else(|| Failure::broken("looking for snapshots", "the account is not there"))
}

/// The snapshot of that id, and the account without it.
fn find(mut account: Account, id: &SnapshotId) -> Done<(Snapshot, Account)> {
    let place = account.snapshots.iter().position(|snapshot| snapshot.id == *id);
    let place = place.ok_or_else(|| Problem::NoSuchSnapshot(id.clone()))?;
    let snapshot = account.snapshots.remove(place);
    Ok((snapshot, account))
}
