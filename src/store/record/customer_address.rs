//! The shape of an address of a customer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::data::{EntriesShape, borrowed_entries, owned_entries};
use super::{Text, Unreadable, borrowed, owned};
use crate::domain::customer_address::CustomerAddress;
use crate::domain::ids::{CustomerAddressId, CustomerId};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct CustomerAddressShape<'a> {
    id: Text<'a>,
    customer: Text<'a>,
    version: u64,
    created: i64,
    updated: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a>>,
    region: Text<'a>,
    city: Text<'a>,
    country: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<EntriesShape<'a>>,
}

impl<'a> From<&'a CustomerAddress> for CustomerAddressShape<'a> {
    fn from(address: &'a CustomerAddress) -> CustomerAddressShape<'a> {
        let CustomerAddress {
            id: CustomerAddressId(id),
            customer: CustomerId(customer),
            version,
            created,
            updated,
            description,
            region,
            city,
            country,
            data,
        } = address;
        CustomerAddressShape {
            id: Cow::Borrowed(id),
            customer: Cow::Borrowed(customer),
            version: *version,
            created: created.0,
            updated: updated.0,
            description: borrowed(description),
            region: Cow::Borrowed(region),
            city: Cow::Borrowed(city),
            country: Cow::Borrowed(country),
            data: data.as_ref().map(borrowed_entries),
        }
    }
}

impl TryFrom<CustomerAddressShape<'_>> for CustomerAddress {
    type Error = Unreadable;

    fn try_from(shape: CustomerAddressShape<'_>) -> Result<CustomerAddress, Unreadable> {
        let CustomerAddressShape { id, customer, version, created, updated, description, region, city, country, data } =
            shape;
        Ok(CustomerAddress {
            id: CustomerAddressId(id.into_owned()),
            customer: CustomerId(customer.into_owned()),
            version,
            created: Time(created),
            updated: Time(updated),
            description: owned(description),
            region: region.into_owned(),
            city: city.into_owned(),
            country: country.into_owned(),
            data: data.map(owned_entries),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use crate::domain::customer_address::CustomerAddress;
    use crate::domain::ids::{CustomerAddressId, CustomerId};
    use crate::domain::time::Time;
    use crate::store::record::data::tests::entries;

    /// Addresses of any facts.
    pub(in crate::store::record) fn customer_addresses() -> impl Strategy<Value = CustomerAddress> {
        let names = (any::<String>(), any::<String>(), any::<u64>(), any::<i64>(), any::<i64>());
        let facts = (option::of(any::<String>()), any::<String>(), any::<String>(), any::<String>());
        (names, facts, option::of(entries())).prop_map(|(names, facts, data)| CustomerAddress {
            id: CustomerAddressId(names.0),
            customer: CustomerId(names.1),
            version: names.2,
            created: Time(names.3),
            updated: Time(names.4),
            description: facts.0,
            region: facts.1,
            city: facts.2,
            country: facts.3,
            data,
        })
    }
}
