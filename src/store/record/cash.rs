//! The shape of a cash transaction.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::customer::read_currency;
use super::{Text, Unreadable, borrowed, owned};
use crate::domain::cash::{BankTransfer, CashReason, CashTransaction};
use crate::domain::ids::{CashTransactionId, CustomerId};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct CashTransactionShape<'a> {
    id: Text<'a>,
    customer: Text<'a>,
    created: i64,
    net_amount: i64,
    currency: Text<'a>,
    ending_balance: i64,
    reason: ReasonShape<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReasonShape<'a> {
    Funded {
        by: BankTransferShape,
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<Text<'a>>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BankTransferShape {
    Eu,
    Gb,
    Jp,
    Mx,
    Us,
}

impl<'a> From<&'a CashTransaction> for CashTransactionShape<'a> {
    fn from(transaction: &'a CashTransaction) -> CashTransactionShape<'a> {
        let CashTransaction {
            id: CashTransactionId(id),
            customer: CustomerId(customer),
            created,
            net_amount,
            currency,
            ending_balance,
            reason,
        } = transaction;
        CashTransactionShape {
            id: Cow::Borrowed(id),
            customer: Cow::Borrowed(customer),
            created: created.0,
            net_amount: *net_amount,
            currency: Cow::Borrowed(currency.as_str()),
            ending_balance: *ending_balance,
            reason: match reason {
                CashReason::Funded { by, reference } => {
                    ReasonShape::Funded { by: (*by).into(), reference: borrowed(reference) }
                }
            },
        }
    }
}

impl TryFrom<CashTransactionShape<'_>> for CashTransaction {
    type Error = Unreadable;

    fn try_from(shape: CashTransactionShape<'_>) -> Result<CashTransaction, Unreadable> {
        let CashTransactionShape { id, customer, created, net_amount, currency, ending_balance, reason } = shape;
        Ok(CashTransaction {
            id: CashTransactionId(id.into_owned()),
            customer: CustomerId(customer.into_owned()),
            created: Time(created),
            net_amount,
            currency: read_currency(&currency)?,
            ending_balance,
            reason: match reason {
                ReasonShape::Funded { by, reference } => {
                    CashReason::Funded { by: by.into(), reference: owned(reference) }
                }
            },
        })
    }
}

impl From<BankTransfer> for BankTransferShape {
    fn from(by: BankTransfer) -> BankTransferShape {
        match by {
            BankTransfer::Eu => BankTransferShape::Eu,
            BankTransfer::Gb => BankTransferShape::Gb,
            BankTransfer::Jp => BankTransferShape::Jp,
            BankTransfer::Mx => BankTransferShape::Mx,
            BankTransfer::Us => BankTransferShape::Us,
        }
    }
}

impl From<BankTransferShape> for BankTransfer {
    fn from(shape: BankTransferShape) -> BankTransfer {
        match shape {
            BankTransferShape::Eu => BankTransfer::Eu,
            BankTransferShape::Gb => BankTransfer::Gb,
            BankTransferShape::Jp => BankTransfer::Jp,
            BankTransferShape::Mx => BankTransfer::Mx,
            BankTransferShape::Us => BankTransfer::Us,
        }
    }
}
