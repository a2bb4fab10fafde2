//! The addresses that a customer has beside its billing address: Jani's address objects.

use super::data::Entries;
use super::ids::{CustomerAddressId, CustomerId};
use super::patch::Patch;
use super::time::Time;

/// The most addresses of one customer: all of them go with it in one transaction.
pub const MAX_ADDRESSES: usize = 100;

/// An address of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerAddress {
    /// Its id.
    pub id: CustomerAddressId,
    /// Whose it is; never changes.
    pub customer: CustomerId,
    /// 1 when made, one more with each effective change.
    pub version: u64,
    /// When it was made; never changes.
    pub created: Time,
    /// When it last changed.
    pub updated: Time,
    /// What it is, for people.
    pub description: Option<String>,
    /// State, county, region.
    pub region: String,
    /// City or town.
    pub city: String,
    /// Country: its two-letter code, upper-case, or a text that names none, as given.
    pub country: String,
    /// Free data.
    pub data: Option<Entries>,
}

/// A wish for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomerAddress {
    /// What it is.
    pub description: Option<String>,
    /// State, county, region.
    pub region: String,
    /// City or town.
    pub city: String,
    /// Country.
    pub country: String,
    /// Free data.
    pub data: Option<Entries>,
}

/// A wish to change an address. What is not mentioned stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerAddressChange {
    /// What it is.
    pub description: Patch<String>,
    /// State, county, region.
    pub region: Option<String>,
    /// City or town.
    pub city: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Free data, replaced whole.
    pub data: Patch<Entries>,
}

impl CustomerAddress {
    /// The address that is wished for.
    pub fn new(wish: NewCustomerAddress, id: CustomerAddressId, customer: CustomerId, now: Time) -> CustomerAddress {
        let NewCustomerAddress { description, region, city, country, data } = wish;
        let (version, created, updated) = (1, now, now);
        CustomerAddress { id, customer, version, created, updated, description, region, city, country, data }
    }

    /// The address with the change applied; the same version when nothing is another.
    pub fn with(&self, change: CustomerAddressChange, now: Time) -> CustomerAddress {
        let CustomerAddressChange { description, region, city, country, data } = change;
        let mut next = self.clone();
        description.onto(&mut next.description);
        next.region = region.unwrap_or(next.region);
        next.city = city.unwrap_or(next.city);
        next.country = country.unwrap_or(next.country);
        data.onto(&mut next.data);
        if next != *self {
            next.version += 1;
            next.updated = now.max(self.updated.plus_millis(1));
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::{CustomerAddress, CustomerAddressChange, NewCustomerAddress};
    use crate::domain::ids::{CustomerAddressId, CustomerId};
    use crate::domain::patch::Patch;
    use crate::domain::time::Time;

    #[test]
    fn a_change_changes_what_it_mentions_and_always_goes_forward() {
        let wish = NewCustomerAddress {
            description: Some("Home".into()),
            region: "Mwanza".into(),
            city: "Mwanza".into(),
            country: "TZ".into(),
            data: None,
        };
        let made =
            CustomerAddress::new(wish, CustomerAddressId("add_1".into()), CustomerId("cus_1".into()), Time(1_000));
        let change =
            CustomerAddressChange { description: Patch::Clear, city: Some("Ilemela".into()), ..Default::default() };
        let changed = made.with(change.clone(), Time(1_000));
        assert_eq!((changed.version, changed.updated, changed.created), (2, Time(1_001), Time(1_000)));
        assert_eq!((changed.description.as_deref(), &*changed.city, &*changed.region), (None, "Ilemela", "Mwanza"));
        assert_eq!(changed.with(change, Time(9_000)), changed);
    }
}
