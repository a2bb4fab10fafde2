//! The shape of a balance transaction.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::{borrowed_metadata, owned_metadata, read_currency};
use super::{Text, Unreadable, borrowed, owned, parse, shape_of, write};
use crate::domain::balance::{BalanceReason, BalanceTransaction};
use crate::domain::ids::{BalanceTransactionId, CustomerId};
use crate::domain::time::Time;

/// The body of a balance transaction.
pub fn write_balance_transaction(transaction: &BalanceTransaction) -> String {
    write(&BalanceTransactionShape::from(transaction))
}

/// The balance transaction of a body.
pub fn read_balance_transaction(body: &str) -> Result<BalanceTransaction, Unreadable> {
    match shape_of(body)? {
        1 => parse::<BalanceTransactionShape<'static>>(body)?.try_into(),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
struct BalanceTransactionShape<'a> {
    id: Text<'a>,
    customer: Text<'a>,
    created: i64,
    amount: i64,
    currency: Text<'a>,
    ending_balance: i64,
    reason: BalanceReasonShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BalanceReasonShape {
    Initial,
    Adjustment,
}

impl<'a> From<&'a BalanceTransaction> for BalanceTransactionShape<'a> {
    fn from(transaction: &'a BalanceTransaction) -> BalanceTransactionShape<'a> {
        let BalanceTransaction {
            id: BalanceTransactionId(id),
            customer: CustomerId(customer),
            created,
            amount,
            currency,
            ending_balance,
            reason,
            description,
            metadata,
        } = transaction;
        BalanceTransactionShape {
            id: Cow::Borrowed(id),
            customer: Cow::Borrowed(customer),
            created: created.0,
            amount: *amount,
            currency: Cow::Borrowed(currency.as_str()),
            ending_balance: *ending_balance,
            reason: match reason {
                BalanceReason::Initial => BalanceReasonShape::Initial,
                BalanceReason::Adjustment => BalanceReasonShape::Adjustment,
            },
            description: borrowed(description),
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<BalanceTransactionShape<'_>> for BalanceTransaction {
    type Error = Unreadable;

    fn try_from(shape: BalanceTransactionShape<'_>) -> Result<BalanceTransaction, Unreadable> {
        let BalanceTransactionShape {
            id,
            customer,
            created,
            amount,
            currency,
            ending_balance,
            reason,
            description,
            metadata,
        } = shape;
        Ok(BalanceTransaction {
            id: BalanceTransactionId(id.into_owned()),
            customer: CustomerId(customer.into_owned()),
            created: Time(created),
            amount,
            currency: read_currency(&currency)?,
            ending_balance,
            reason: match reason {
                BalanceReasonShape::Initial => BalanceReason::Initial,
                BalanceReasonShape::Adjustment => BalanceReason::Adjustment,
            },
            description: owned(description),
            metadata: owned_metadata(metadata),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{read_balance_transaction, write_balance_transaction};
    use crate::domain::balance::{BalanceReason, BalanceTransaction};
    use crate::domain::ids::{BalanceTransactionId, CustomerId};
    use crate::domain::money::Currency;
    use crate::domain::time::Time;

    #[test]
    fn a_balance_transaction_is_read_as_it_was_written() {
        let plain = BalanceTransaction {
            id: BalanceTransactionId("cbtxn_1".into()),
            customer: CustomerId("cus_1".into()),
            created: Time(5),
            amount: i64::MIN,
            currency: Currency::parse("eur").unwrap(),
            ending_balance: -1,
            reason: BalanceReason::Initial,
            description: None,
            metadata: [].into(),
        };
        let full = BalanceTransaction {
            reason: BalanceReason::Adjustment,
            description: Some(String::new()),
            metadata: [("order".into(), "7".into())].into(),
            ..plain.clone()
        };
        for transaction in [plain, full] {
            assert_eq!(read_balance_transaction(&write_balance_transaction(&transaction)), Ok(transaction));
        }
    }
}
