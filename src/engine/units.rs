//! Business units: change their settings, find who has a tenant id. A unit's currency is its account's and stays as it is as
//! soon as anything has happened.

use crate::domain::account::{Account, Space};
use crate::domain::ids::AccountId;
use crate::domain::money::Currency;
use crate::domain::unit::{TenantId, UnitChange};
use crate::store::{Failure, Kept, Read, Tx};

/// What became of the wish to change a unit.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    /// The account as it is now.
    To(Box<Account>),
    /// It has a history in its currency, which is another one than the wish names. Nothing was changed.
    CurrencyIsFixed(Currency),
}

/// Changes the settings of the unit that the space is for, and its currency as long as nothing has happened there.
pub fn change(tx: &mut dyn Tx, space: Space, change: UnitChange, currency: Option<Currency>) -> Kept<Changed> {
    let before = tx.account(space)?.ok_or_else(|| Failure::broken("changing a unit", "the account is not there"))?;
    let fixed = before.default_currency;
    if currency.is_some_and(|currency| currency != fixed) && tx.newest(&[space])? != [0] {
        return Ok(Changed::CurrencyIsFixed(fixed));
    }

    let after =
        Account { unit: before.unit.with(change), default_currency: currency.unwrap_or(fixed), ..before.clone() };
    if after != before {
        tx.put_account(&after)?;
    }
    Ok(Changed::To(Box::new(after)))
}

/// The account whose unit has that tenant id. For operators, who see all accounts: requests are let in by their key.
pub fn of_tenant(read: &mut dyn Read, tenant: &TenantId) -> Kept<Option<AccountId>> {
    let accounts = read.accounts()?;
    Ok(accounts.into_iter().find(|account| account.unit.tenant.as_ref() == Some(tenant)).map(|account| account.id))
}
