//! The shape of a business of a customer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::data::{EntriesShape, borrowed_entries, owned_entries};
use super::{Text, Unreadable, borrowed, owned};
use crate::domain::business::{Business, BusinessStatus, Contact};
use crate::domain::ids::{BusinessId, CustomerId};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct BusinessShape<'a> {
    id: Text<'a>,
    customer: Text<'a>,
    version: u64,
    created: i64,
    updated: i64,
    name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_number: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_identifier: Option<Text<'a>>,
    status: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<ContactShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<EntriesShape<'a>>,
}

#[derive(Serialize, Deserialize)]
struct ContactShape<'a> {
    name: Text<'a>,
    email: Text<'a>,
}

impl<'a> From<&'a Business> for BusinessShape<'a> {
    fn from(business: &'a Business) -> BusinessShape<'a> {
        let Business {
            id: BusinessId(id),
            customer: CustomerId(customer),
            version,
            created,
            updated,
            name,
            phone,
            company_number,
            tax_identifier,
            status,
            contacts,
            data,
        } = business;
        let contact = |Contact { name, email }: &'a Contact| ContactShape {
            name: Cow::Borrowed(name),
            email: Cow::Borrowed(email),
        };
        BusinessShape {
            id: Cow::Borrowed(id),
            customer: Cow::Borrowed(customer),
            version: *version,
            created: created.0,
            updated: updated.0,
            name: Cow::Borrowed(name),
            phone: borrowed(phone),
            company_number: borrowed(company_number),
            tax_identifier: borrowed(tax_identifier),
            status: Cow::Borrowed(status.as_str()),
            contacts: contacts.iter().map(contact).collect(),
            data: data.as_ref().map(borrowed_entries),
        }
    }
}

impl TryFrom<BusinessShape<'_>> for Business {
    type Error = Unreadable;

    fn try_from(shape: BusinessShape<'_>) -> Result<Business, Unreadable> {
        let BusinessShape {
            id,
            customer,
            version,
            created,
            updated,
            name,
            phone,
            company_number,
            tax_identifier,
            status,
            contacts,
            data,
        } = shape;
        let contact = |ContactShape { name, email }: ContactShape<'_>| Contact {
            name: name.into_owned(),
            email: email.into_owned(),
        };
        Ok(Business {
            id: BusinessId(id.into_owned()),
            customer: CustomerId(customer.into_owned()),
            version,
            created: Time(created),
            updated: Time(updated),
            name: name.into_owned(),
            phone: owned(phone),
            company_number: owned(company_number),
            tax_identifier: owned(tax_identifier),
            status: BusinessStatus::named(&status).ok_or(Unreadable::UnknownWord("status of a business"))?,
            contacts: contacts.into_iter().map(contact).collect(),
            data: data.map(owned_entries),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use crate::domain::business::{Business, BusinessStatus, Contact};
    use crate::domain::ids::{BusinessId, CustomerId};
    use crate::domain::time::Time;
    use crate::store::record::data::tests::entries;

    /// Businesses of any facts.
    pub(in crate::store::record) fn businesses() -> impl Strategy<Value = Business> {
        let names = (any::<String>(), any::<String>(), any::<u64>(), any::<i64>(), any::<i64>());
        let text = || option::of(any::<String>());
        let facts = (any::<String>(), text(), text(), text(), any::<bool>());
        let contacts = vec((any::<String>(), any::<String>()).prop_map(|(name, email)| Contact { name, email }), 0..3);
        (names, facts, contacts, option::of(entries())).prop_map(|(names, facts, contacts, data)| Business {
            id: BusinessId(names.0),
            customer: CustomerId(names.1),
            version: names.2,
            created: Time(names.3),
            updated: Time(names.4),
            name: facts.0,
            phone: facts.1,
            company_number: facts.2,
            tax_identifier: facts.3,
            status: if facts.4 { BusinessStatus::Active } else { BusinessStatus::Archived },
            contacts,
            data,
        })
    }
}
