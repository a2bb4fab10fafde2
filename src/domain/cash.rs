//! The cash balance of a customer: money that it has sent and that has paid for nothing yet, by currency, and the ledger
//! behind it.

use super::customer::Customer;
use super::ids::{CashTransactionId, CustomerId};
use super::money::Currency;
use super::problem::Problem;
use super::time::Time;

/// How a customer sends money: docs.stripe.com/payments/bank-transfers. Each is of one currency, and no two of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankTransfer {
    /// Within the euro area.
    Eu,
    /// In the United Kingdom.
    Gb,
    /// In Japan.
    Jp,
    /// In Mexico.
    Mx,
    /// In the United States.
    Us,
}

impl BankTransfer {
    /// Every one.
    pub const ALL: [BankTransfer; 5] =
        [BankTransfer::Eu, BankTransfer::Gb, BankTransfer::Jp, BankTransfer::Mx, BankTransfer::Us];

    /// What is sent by it.
    pub fn currency(self) -> Currency {
        let code = match self {
            BankTransfer::Eu => "eur",
            BankTransfer::Gb => "gbp",
            BankTransfer::Jp => "jpy",
            BankTransfer::Mx => "mxn",
            BankTransfer::Us => "usd",
        };
        Currency::parse(code).expect("the currencies of bank transfers are supported")
    }

    /// The one by which a currency is sent; `None` when it cannot be.
    pub fn of(currency: Currency) -> Option<BankTransfer> {
        BankTransfer::ALL.into_iter().find(|by| by.currency() == currency)
    }
}

/// Money that arrives for a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funding {
    /// How much, in minor units; at least 1.
    pub amount: i64,
    /// How it was sent, which says the currency.
    pub by: BankTransfer,
    /// What the sender wrote on it.
    pub reference: Option<String>,
}

/// Why a cash balance moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CashReason {
    /// Money arrived.
    Funded {
        /// How it was sent.
        by: BankTransfer,
        /// What the sender wrote on it.
        reference: Option<String>,
    },
}

/// One movement of a customer's cash balance. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashTransaction {
    /// Its id.
    pub id: CashTransactionId,
    /// Whose balance.
    pub customer: CustomerId,
    /// When.
    pub created: Time,
    /// By how much, in minor units; what arrives is positive.
    pub net_amount: i64,
    /// In which currency.
    pub currency: Currency,
    /// What the customer had in that currency afterwards, in minor units.
    pub ending_balance: i64,
    /// Why.
    pub reason: CashReason,
}

impl Customer {
    /// The customer after money has arrived, and what it has in that currency then.
    pub fn with_cash(&self, amount: i64, currency: Currency) -> Result<(Customer, i64), Problem> {
        let held = self.cash.get(&currency).copied().unwrap_or(0);
        let holds = held.checked_add(amount).ok_or(Problem::CashOutOfRange)?;
        let mut next = self.clone();
        next.cash.insert(currency, holds);
        Ok((next, holds))
    }

    /// Refuses a customer who cannot be deleted. "You cannot delete a customer with any cash balances, even if the
    /// balance is 0": docs.stripe.com/api/cash_balance/object.
    pub fn require_deletable(&self) -> Result<(), Problem> {
        if self.cash.is_empty() { Ok(()) } else { Err(Problem::CashHeld) }
    }
}

#[cfg(test)]
mod tests {
    use super::BankTransfer;
    use crate::domain::customer::Customer;
    use crate::domain::ids::CustomerId;
    use crate::domain::money::{Currency, SUPPORTED};
    use crate::domain::problem::Problem;
    use crate::domain::time::Time;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn a_currency_is_sent_in_one_way_or_not_at_all() {
        let sent: Vec<_> = SUPPORTED.iter().filter(|code| BankTransfer::of(currency(code)).is_some()).collect();
        assert_eq!(sent, [&"usd", &"eur", &"gbp", &"jpy", &"mxn"]);
        assert!(BankTransfer::ALL.into_iter().all(|by| BankTransfer::of(by.currency()) == Some(by)));
    }

    #[test]
    fn currencies_add_up_by_themselves() {
        let customer = Customer::blank(CustomerId("cus_1".into()), "A".into(), Time(1));
        assert_eq!(customer.require_deletable(), Ok(()));
        let (customer, holds) = customer.with_cash(5, currency("usd")).unwrap();
        assert_eq!(holds, 5);
        let (customer, holds) = customer.with_cash(7, currency("eur")).unwrap();
        assert_eq!(holds, 7);
        let (customer, holds) = customer.with_cash(i64::MAX - 5, currency("usd")).unwrap();
        assert_eq!(holds, i64::MAX);
        assert_eq!(customer.with_cash(1, currency("usd")), Err(Problem::CashOutOfRange));
        assert_eq!(customer.cash.into_iter().collect::<Vec<_>>(), [(currency("eur"), 7), (currency("usd"), i64::MAX)]);
    }

    #[test]
    fn a_balance_of_nothing_is_a_balance() {
        let customer = Customer::blank(CustomerId("cus_1".into()), "A".into(), Time(1));
        let (customer, _) = customer.with_cash(0, currency("usd")).unwrap();
        assert_eq!(customer.require_deletable(), Err(Problem::CashHeld));
    }
}
