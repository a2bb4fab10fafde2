//! The ledger behind a customer's balance. The balance always equals the newest entry's ending balance.

use super::customer::Customer;
use super::ids::{BalanceTransactionId, CustomerId};
use super::metadata::{Metadata, MetadataChange};
use super::money::Currency;
use super::patch::Patch;
use super::problem::Problem;
use super::time::Time;

/// Why a balance moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceReason {
    /// The customer was created with a balance.
    Initial,
    /// Somebody set or moved it.
    Adjustment,
}

/// One movement of a customer's balance. Amounts are minor units; negative is credit for the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// Its id.
    pub id: BalanceTransactionId,
    /// Whose balance.
    pub customer: CustomerId,
    /// When.
    pub created: Time,
    /// By how much.
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
    /// The balance afterwards.
    pub ending_balance: i64,
    /// Why.
    pub reason: BalanceReason,
    /// Free text.
    pub description: Option<String>,
    /// Free data.
    pub metadata: Metadata,
}

/// How a caller wished a balance to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceWish {
    /// To an amount.
    Set,
    /// By an amount.
    Move,
}

/// A wish to move a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBalanceTransaction {
    /// By how much, in minor units.
    pub amount: i64,
    /// In which currency; must be the customer's once it has one.
    pub currency: Currency,
    /// Free text.
    pub description: Option<String>,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A wish to change what people wrote on a transaction; all else about it is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceTransactionChange {
    /// Free text.
    pub description: Patch<String>,
    /// Free data.
    pub metadata: MetadataChange,
}

impl BalanceTransaction {
    /// The transaction with the change applied, or the rule it breaks.
    pub fn with(&self, change: BalanceTransactionChange) -> Result<BalanceTransaction, Problem> {
        let BalanceTransactionChange { description, metadata } = change;
        let mut next = self.clone();
        description.onto(&mut next.description);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }
}

impl Customer {
    /// The customer after a movement of its balance, and the currency it is in.
    pub fn with_balance_moved(&self, wish: &NewBalanceTransaction) -> Result<Customer, Problem> {
        let mut next = self.clone();
        match self.currency {
            Some(own) if own != wish.currency => {
                return Err(Problem::CurrencyMismatch { customer: own, given: wish.currency });
            }
            // Nothing moved, so nothing is in a currency yet.
            None if wish.amount == 0 => {}
            Some(_) | None => next.currency = Some(wish.currency),
        }
        let moved = self.balance.checked_add(wish.amount);
        next.balance = moved.ok_or(Problem::BalanceOutOfRange(BalanceWish::Move))?;
        Ok(next)
    }
}
