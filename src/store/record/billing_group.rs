//! The shape of a billing group.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::customer::read_currency;
use super::{Text, Unreadable, borrowed, owned, word};
use crate::domain::billing_group::{BillingGroup, GroupStatus, Member};
use crate::domain::ids::{BillingGroupId, CustomerId, RentalId};
use crate::domain::money::Currency;
use crate::domain::period::Period;
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct BillingGroupShape<'a> {
    id: Text<'a>,
    created: i64,
    updated: i64,
    created_by: Text<'a>,
    customer: Text<'a>,
    name: Text<'a>,
    day: u8,
    members: Vec<MemberShape<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    closed: Vec<Text<'a>>,
    currency: Text<'a>,
    status: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct MemberShape<'a> {
    rental: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    monthly: Option<i64>,
}

impl<'a> From<&'a BillingGroup> for BillingGroupShape<'a> {
    fn from(group: &'a BillingGroup) -> BillingGroupShape<'a> {
        let BillingGroup {
            id: BillingGroupId(id),
            created,
            updated,
            created_by,
            customer: CustomerId(customer),
            name,
            day,
            members,
            closed,
            currency,
            status,
            notes,
        } = group;
        let member = |Member { rental, monthly }: &'a Member| MemberShape {
            rental: Cow::Borrowed(rental.as_str()),
            monthly: *monthly,
        };
        BillingGroupShape {
            id: Cow::Borrowed(id),
            created: created.0,
            updated: updated.0,
            created_by: Cow::Borrowed(created_by),
            customer: Cow::Borrowed(customer),
            name: Cow::Borrowed(name),
            day: *day,
            members: members.iter().map(member).collect(),
            closed: closed.iter().map(|period| Cow::Owned(period.to_string())).collect(),
            currency: Cow::Borrowed(Currency::as_str(currency)),
            status: Cow::Borrowed(status.as_str()),
            notes: borrowed(notes),
        }
    }
}

impl TryFrom<BillingGroupShape<'_>> for BillingGroup {
    type Error = Unreadable;

    fn try_from(shape: BillingGroupShape<'_>) -> Result<BillingGroup, Unreadable> {
        let BillingGroupShape {
            id,
            created,
            updated,
            created_by,
            customer,
            name,
            day,
            members,
            closed,
            currency,
            status,
            notes,
        } = shape;
        let member = |MemberShape { rental, monthly }: MemberShape<'_>| Member {
            rental: RentalId(rental.into_owned()),
            monthly,
        };
        Ok(BillingGroup {
            id: BillingGroupId(id.into_owned()),
            created: Time(created),
            updated: Time(updated),
            created_by: created_by.into_owned(),
            customer: CustomerId(customer.into_owned()),
            name: name.into_owned(),
            day,
            members: members.into_iter().map(member).collect(),
            closed: closed.iter().map(|text| word("period", text, Period::parse)).collect::<Result<_, _>>()?,
            currency: read_currency(&currency)?,
            status: word("status", &status, GroupStatus::named)?,
            notes: owned(notes),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::money::SUPPORTED;
    use crate::store::record::rental_payment::tests::periods;

    /// Groups of any facts.
    pub(crate) fn billing_groups() -> impl Strategy<Value = BillingGroup> {
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>());
        let members = vec((any::<String>(), option::of(any::<i64>())), 0..4);
        let words = (select(&SUPPORTED[..]), select(GroupStatus::ALL), option::of(any::<String>()));
        (names, any::<(i64, i64, u8)>(), members, words, btree_set(periods(), 0..3)).prop_map(
            |(names, (created, updated, day), members, words, closed)| {
                let member = |(rental, monthly)| Member { rental: RentalId(rental), monthly };
                BillingGroup {
                    id: BillingGroupId(names.0),
                    created: Time(created),
                    updated: Time(updated),
                    created_by: names.1,
                    customer: CustomerId(names.2),
                    name: names.3,
                    day,
                    members: members.into_iter().map(member).collect(),
                    closed,
                    currency: Currency::parse(words.0).expect("it is supported"),
                    status: words.1,
                    notes: words.2,
                }
            },
        )
    }
}
