//! The businesses that a customer acts for: Jani's business objects.

use super::data::Entries;
use super::ids::{BusinessId, CustomerId};
use super::patch::Patch;
use super::time::Time;
use super::words::words;

/// The most contacts of one business.
pub const MAX_CONTACTS: usize = 100;

/// The most businesses of one customer: all of them go with it in one transaction.
pub const MAX_BUSINESSES: usize = 100;

/// A business of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// Whose it is; never changes.
    pub customer: CustomerId,
    /// 1 when made, one more with each effective change.
    pub version: u64,
    /// When it was made; never changes.
    pub created: Time,
    /// When it last changed.
    pub updated: Time,
    /// Its name.
    pub name: String,
    /// Its phone number.
    pub phone: Option<String>,
    /// Its number in a register of companies.
    pub company_number: Option<String>,
    /// The number under which a tax office knows it.
    pub tax_identifier: Option<String>,
    /// Whether it is in use.
    pub status: BusinessStatus,
    /// Whom to write to; at most [`MAX_CONTACTS`].
    pub contacts: Vec<Contact>,
    /// Free data.
    pub data: Option<Entries>,
}

words! {
    /// Whether a business is in use.
    pub enum BusinessStatus {
        /// It is.
        Active = "active",
        /// It is not any more.
        Archived = "archived",
    }
}

/// Somebody at a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// A wish for a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBusiness {
    /// Its name.
    pub name: String,
    /// Its phone number.
    pub phone: Option<String>,
    /// Its number in a register of companies.
    pub company_number: Option<String>,
    /// The number under which a tax office knows it.
    pub tax_identifier: Option<String>,
    /// Whether it is in use.
    pub status: BusinessStatus,
    /// Whom to write to.
    pub contacts: Vec<Contact>,
    /// Free data.
    pub data: Option<Entries>,
}

/// A wish to change a business. What is not mentioned stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessChange {
    /// Its name.
    pub name: Option<String>,
    /// Its phone number.
    pub phone: Patch<String>,
    /// Its number in a register of companies.
    pub company_number: Patch<String>,
    /// The number under which a tax office knows it.
    pub tax_identifier: Patch<String>,
    /// Whether it is in use.
    pub status: Option<BusinessStatus>,
    /// Whom to write to, replaced whole.
    pub contacts: Option<Vec<Contact>>,
    /// Free data, replaced whole.
    pub data: Patch<Entries>,
}

impl Business {
    /// The business that is wished for.
    pub fn new(wish: NewBusiness, id: BusinessId, customer: CustomerId, now: Time) -> Business {
        let NewBusiness { name, phone, company_number, tax_identifier, status, contacts, data } = wish;
        let (version, created, updated) = (1, now, now);
        Business {
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
        }
    }

    /// The business with the change applied; the same version when nothing is another.
    pub fn with(&self, change: BusinessChange, now: Time) -> Business {
        let BusinessChange { name, phone, company_number, tax_identifier, status, contacts, data } = change;
        let mut next = self.clone();
        next.name = name.unwrap_or(next.name);
        phone.onto(&mut next.phone);
        company_number.onto(&mut next.company_number);
        tax_identifier.onto(&mut next.tax_identifier);
        next.status = status.unwrap_or(next.status);
        next.contacts = contacts.unwrap_or(next.contacts);
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
    use super::{Business, BusinessChange, BusinessStatus, Contact, NewBusiness};
    use crate::domain::ids::{BusinessId, CustomerId};
    use crate::domain::patch::Patch;
    use crate::domain::time::Time;

    #[test]
    fn contacts_are_replaced_and_all_else_stays() {
        let contact = |name: &str| Contact { name: name.into(), email: format!("{name}@b") };
        let wish = NewBusiness {
            name: "Ada Ltd".into(),
            phone: Some("+1".into()),
            company_number: Some("7".into()),
            tax_identifier: None,
            status: BusinessStatus::Active,
            contacts: vec![contact("a"), contact("b")],
            data: None,
        };
        let made = Business::new(wish, BusinessId("biz_1".into()), CustomerId("cus_1".into()), Time(1_000));
        let change = BusinessChange {
            phone: Patch::Clear,
            status: Some(BusinessStatus::Archived),
            contacts: Some(vec![contact("c")]),
            ..BusinessChange::default()
        };
        let changed = made.with(change.clone(), Time(5_000));
        assert_eq!((changed.version, changed.updated, &changed.phone), (2, Time(5_000), &None));
        assert_eq!((changed.contacts.len(), changed.company_number.as_deref()), (1, Some("7")));
        assert_eq!(changed.with(change, Time(9_000)), changed);
    }
}
