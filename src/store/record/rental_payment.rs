//! The shape of a payment for a rental or a billing group.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::customer::read_currency;
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::coupon::Percent;
use crate::domain::ids::{BillingGroupId, CustomerId, RentalId, RentalPaymentId};
use crate::domain::money::Currency;
use crate::domain::period::Period;
use crate::domain::rental_payment::{Billed, PaymentLine, PaymentPurpose, PaymentStatus, RentalPayment, Taxed};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct RentalPaymentShape<'a> {
    id: Text<'a>,
    created: i64,
    updated: i64,
    customer: Text<'a>,
    /// Or else it is of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    rental: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Text<'a>>,
    purpose: Text<'a>,
    period: Text<'a>,
    lines: Vec<LineShape<'a>>,
    /// In hundredths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_rate: Option<i64>,
    currency: Text<'a>,
    status: Text<'a>,
    due: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marked_by: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct LineShape<'a> {
    rental: Text<'a>,
    description: Text<'a>,
    net: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    tax: i64,
}

impl<'a> From<&'a RentalPayment> for RentalPaymentShape<'a> {
    fn from(payment: &'a RentalPayment) -> RentalPaymentShape<'a> {
        let RentalPayment {
            id: RentalPaymentId(id),
            created,
            updated,
            customer: CustomerId(customer),
            of,
            purpose,
            period,
            lines,
            tax_rate,
            currency,
            status,
            due,
            paid_at,
            marked_by,
            reference,
            notes,
            cancel_reason,
        } = payment;
        let (rental, group) = match of {
            Billed::Rental(rental) => (Some(Cow::Borrowed(rental.as_str())), None),
            Billed::Group(group) => (None, Some(Cow::Borrowed(group.as_str()))),
        };
        let line = |PaymentLine { rental, description, amount: Taxed { net, tax } }: &'a PaymentLine| LineShape {
            rental: Cow::Borrowed(rental.as_str()),
            description: Cow::Borrowed(description),
            net: *net,
            tax: *tax,
        };
        RentalPaymentShape {
            id: Cow::Borrowed(id),
            created: created.0,
            updated: updated.0,
            customer: Cow::Borrowed(customer),
            rental,
            group,
            purpose: Cow::Borrowed(purpose.as_str()),
            period: Cow::Owned(period.to_string()),
            lines: lines.iter().map(line).collect(),
            tax_rate: tax_rate.map(Percent::hundredths),
            currency: Cow::Borrowed(Currency::as_str(currency)),
            status: Cow::Borrowed(status.as_str()),
            due: due.0,
            paid_at: paid_at.map(|time| time.0),
            marked_by: borrowed(marked_by),
            reference: borrowed(reference),
            notes: borrowed(notes),
            cancel_reason: borrowed(cancel_reason),
        }
    }
}

impl TryFrom<RentalPaymentShape<'_>> for RentalPayment {
    type Error = Unreadable;

    fn try_from(shape: RentalPaymentShape<'_>) -> Result<RentalPayment, Unreadable> {
        let RentalPaymentShape {
            id,
            created,
            updated,
            customer,
            rental,
            group,
            purpose,
            period,
            lines,
            tax_rate,
            currency,
            status,
            due,
            paid_at,
            marked_by,
            reference,
            notes,
            cancel_reason,
        } = shape;
        let of = match (owned(rental), owned(group)) {
            (Some(rental), None) => Billed::Rental(RentalId(rental)),
            (None, Some(group)) => Billed::Group(BillingGroupId(group)),
            (None, None) | (Some(_), Some(_)) => return Err(Unreadable::UnknownWord("rental or group")),
        };
        let line = |LineShape { rental, description, net, tax }: LineShape<'_>| PaymentLine {
            rental: RentalId(rental.into_owned()),
            description: description.into_owned(),
            amount: Taxed { net, tax },
        };
        let rate = |hundredths| Percent::of_hundredths(hundredths).ok_or(Unreadable::UnknownWord("tax rate"));
        Ok(RentalPayment {
            id: RentalPaymentId(id.into_owned()),
            created: Time(created),
            updated: Time(updated),
            customer: CustomerId(customer.into_owned()),
            of,
            purpose: word("purpose", &purpose, PaymentPurpose::named)?,
            period: word("period", &period, Period::parse)?,
            lines: lines.into_iter().map(line).collect(),
            tax_rate: tax_rate.map(rate).transpose()?,
            currency: read_currency(&currency)?,
            status: word("status", &status, PaymentStatus::named)?,
            due: Time(due),
            paid_at: paid_at.map(Time),
            marked_by: owned(marked_by),
            reference: owned(reference),
            notes: owned(notes),
            cancel_reason: owned(cancel_reason),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::money::SUPPORTED;

    /// Months of the years that can be written.
    pub(crate) fn periods() -> impl Strategy<Value = Period> {
        (0..=9999u16, 1..=12u8)
            .prop_map(|(year, month)| Period::parse(&format!("{year:04}-{month:02}")).expect("it is a month"))
    }

    /// Payments of any facts.
    pub(crate) fn rental_payments() -> impl Strategy<Value = RentalPayment> {
        let of = (any::<bool>(), any::<String>()).prop_map(|(group, id)| {
            if group { Billed::Group(BillingGroupId(id)) } else { Billed::Rental(RentalId(id)) }
        });
        let line = (any::<String>(), any::<String>(), any::<i64>(), any::<i64>()).prop_map(
            |(rental, description, net, tax)| PaymentLine {
                rental: RentalId(rental),
                description,
                amount: Taxed { net, tax },
            },
        );
        let ids = (any::<String>(), any::<String>(), of);
        let times = (any::<i64>(), any::<i64>(), any::<i64>(), option::of(any::<i64>()));
        let rate = option::of((1..=10_000i64).prop_map(|rate| Percent::of_hundredths(rate).expect("it fits")));
        let what = (select(PaymentPurpose::ALL), select(PaymentStatus::ALL), periods(), select(&SUPPORTED[..]), rate);
        let text = || option::of(any::<String>());
        let texts = (text(), text(), text(), text());
        (ids, times, what, vec(line, 0..3), texts).prop_map(|(ids, times, what, lines, texts)| RentalPayment {
            id: RentalPaymentId(ids.0),
            created: Time(times.0),
            updated: Time(times.1),
            customer: CustomerId(ids.1),
            of: ids.2,
            purpose: what.0,
            period: what.2,
            lines,
            tax_rate: what.4,
            currency: Currency::parse(what.3).expect("it is supported"),
            status: what.1,
            due: Time(times.2),
            paid_at: times.3.map(Time),
            marked_by: texts.0,
            reference: texts.1,
            notes: texts.2,
            cancel_reason: texts.3,
        })
    }
}
