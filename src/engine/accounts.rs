//! Accounts: create, read, list.

use crate::domain::account::{Account, Space};
use crate::store::{Kept, Read, Tx};

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

/// The account that the space stands for.
pub fn read(tx: &mut dyn Read, space: Space) -> Kept<Option<Account>> {
    tx.account(space)
}

/// Every account.
pub fn list(tx: &mut dyn Read) -> Kept<Vec<Account>> {
    tx.accounts()
}
