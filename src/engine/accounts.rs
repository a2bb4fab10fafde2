//! Accounts: create, read, list.

use crate::domain::account::{Account, FingerprintKey, Space};
use crate::store::{Failure, Kept, Read, Tx};

/// The account, made from `fresh` when the space has none.
pub fn find_or_create(tx: &mut dyn Tx, fresh: &Account) -> Kept<Account> {
    match tx.account(fresh.space)? {
        Some(account) => Ok(account),
        None => {
            tx.put_account(fresh)?;
            Ok(fresh.clone())
        }
    }
}

/// The account and the key by which it tells numbers: `fresh` when it had none.
pub fn with_fingerprint_key(tx: &mut dyn Tx, space: Space, fresh: &FingerprintKey) -> Kept<(Account, FingerprintKey)> {
    let before = tx.account(space)?;
    let before = before.ok_or_else(|| Failure::broken("making a fingerprint key", "the account is not there"))?;
    if let Some(key) = before.fingerprint_key.clone() {
        return Ok((before, key));
    }

    let after = Account { fingerprint_key: Some(fresh.clone()), ..before };
    tx.put_account(&after)?;
    Ok((after, fresh.clone()))
}

/// The account that the space stands for.
pub fn read(tx: &mut dyn Read, space: Space) -> Kept<Option<Account>> {
    tx.account(space)
}

/// Every account.
pub fn list(tx: &mut dyn Read) -> Kept<Vec<Account>> {
    tx.accounts()
}
