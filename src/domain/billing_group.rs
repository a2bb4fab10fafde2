//! Billing groups: rentals of one customer that are billed together, on one day of the month.

use std::collections::BTreeSet;

use super::ids::{BillingGroupId, CustomerId, RentalId};
use super::money::Currency;
use super::period::Period;
use super::time::Time;
use super::words::words;

/// The most rentals of a group: each adds a line to every payment of the group.
pub const MAX_RENTALS: usize = 100;
/// The latest day of the month on which a group can bill: every month has it.
pub const MAX_DAY: u8 = 28;
/// The longest name, in characters.
pub const MAX_NAME: usize = 255;
/// The longest note, in characters.
pub const MAX_NOTES: usize = 5_000;

words! {
    /// Whether a group bills.
    pub enum GroupStatus {
        /// It does.
        Active = "active",
        /// It does not: its rentals are billed one by one until it does again.
        Inactive = "inactive",
    }
}

/// A rental of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub rental: RentalId,
    /// What it brings in a month, in minor units; `None` when it ended.
    pub monthly: Option<i64>,
}

/// A billing group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingGroup {
    /// Its id.
    pub id: BillingGroupId,
    /// When it was made; never changes.
    pub created: Time,
    /// When it was changed last.
    pub updated: Time,
    /// Who made it: the name of an API key.
    pub created_by: String,
    /// Whose rentals are in it.
    pub customer: CustomerId,
    /// What it is called.
    pub name: String,
    /// On which day of the month it bills, from 1 to [`MAX_DAY`].
    pub day: u8,
    /// Its rentals in the order in which they came, at most [`MAX_RENTALS`].
    pub members: Vec<Member>,
    /// Months that it billed and was paid for, or gave up.
    pub closed: BTreeSet<Period>,
    /// In which currency it bills.
    pub currency: Currency,
    /// Whether it bills.
    pub status: GroupStatus,
    /// Free text.
    pub notes: Option<String>,
}

/// A wish for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBillingGroup {
    /// Whose rentals are in it.
    pub customer: CustomerId,
    /// What it is called.
    pub name: String,
    /// On which day of the month it bills, from 1 to [`MAX_DAY`].
    pub day: u8,
    /// Its rentals, at least one.
    pub rentals: Vec<RentalId>,
    /// Free text.
    pub notes: Option<String>,
}

/// A wish to change a group; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingGroupChange {
    /// What it is called.
    pub name: Option<String>,
    /// On which day of the month it bills, from 1 to [`MAX_DAY`].
    pub day: Option<u8>,
    /// Its rentals, in place of those that it has.
    pub rentals: Option<Vec<RentalId>>,
    /// Free text; an empty text is none.
    pub notes: Option<String>,
    /// Whether it bills.
    pub status: Option<GroupStatus>,
}

impl BillingGroup {
    /// What its rentals bring in a month, in minor units. Those that ended bring in nothing.
    pub fn total_monthly(&self) -> i64 {
        self.members.iter().filter_map(|member| member.monthly).fold(0, i64::saturating_add)
    }

    /// How many of its rentals are active.
    pub fn active(&self) -> usize {
        self.members.iter().filter(|member| member.monthly.is_some()).count()
    }

    /// The day on which it bills; `None` while it does not.
    pub fn billing_day(&self) -> Option<u8> {
        (self.status == GroupStatus::Active).then_some(self.day)
    }

    /// Notes what one of its rentals brings in a month now.
    pub fn note(&mut self, rental: &RentalId, monthly: Option<i64>) {
        if let Some(member) = self.members.iter_mut().find(|member| member.rental == *rental) {
            member.monthly = monthly;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rental_that_ended_drops_out_of_the_totals() {
        let member = |id: &str, monthly| Member { rental: RentalId(id.into()), monthly: Some(monthly) };
        let mut group = BillingGroup {
            id: BillingGroupId("bg_1".into()),
            created: Time(0),
            updated: Time(0),
            created_by: "key".into(),
            customer: CustomerId("cus_1".into()),
            name: "Rocket Rides".into(),
            day: 15,
            members: vec![member("sub_1", 8_900), member("sub_2", 12_900)],
            closed: BTreeSet::new(),
            currency: Currency::parse("eur").expect("it is one"),
            status: GroupStatus::Active,
            notes: None,
        };
        assert_eq!((group.total_monthly(), group.active()), (21_800, 2));
        group.note(&RentalId("sub_1".into()), None);
        assert_eq!((group.total_monthly(), group.active(), group.members.len()), (12_900, 1, 2));
        assert_eq!(group.billing_day(), Some(15));
        group.status = GroupStatus::Inactive;
        assert_eq!(group.billing_day(), None);
    }
}
