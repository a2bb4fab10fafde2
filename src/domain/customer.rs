//! A customer: the facts kept of it, and the one way to change them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::{Address, NewAddress, NewShipping, Shipping};
use super::balance::BalanceWish;
use super::data::{self, Data, Entries, Value};
use super::discount::{Discount, Redemption};
use super::ids::{CustomerId, InstrumentId};
use super::instrument::{Instrument, SourceChoice};
use super::metadata::{Metadata, MetadataChange};
use super::money::Currency;
use super::patch::Patch;
use super::payment_reference::PaymentReference;
use super::problem::Problem;
use super::tax_id::TaxId;
use super::term::letters_without_case;
use super::time::Time;
use super::words::words;

/// The most custom fields that invoices of a customer may carry.
pub const MAX_CUSTOM_FIELDS: usize = 4;

/// A customer of one account in one mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// 1 when made, one more with each effective change; the entity tag of every dialect.
    pub version: u64,
    /// When it was made.
    pub created: Time,
    /// When it last changed.
    pub updated: Time,
    /// When it was deleted. A deleted customer keeps its id and its invoice prefix and nothing else.
    pub deleted: Option<Time>,
    /// Full name.
    pub name: Option<String>,
    /// Given name, where it was told by itself; what is shown is [`Customer::two_names`].
    pub given_name: Option<String>,
    /// Family name, likewise.
    pub family_name: Option<String>,
    /// Whether it is a person or a business; `None` where nobody said.
    pub kind: Option<CustomerKind>,
    /// How it stands with the account.
    pub status: CustomerStatus,
    /// Name of the business.
    pub business_name: Option<String>,
    /// Name of the person.
    pub individual_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number, as given.
    pub phone: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Billing address.
    pub address: Option<Address>,
    /// Where goods are sent.
    pub shipping: Option<Shipping>,
    /// Minor units; negative is credit, positive is owed on the next invoice.
    pub balance: i64,
    /// Fixed by the first thing that costs money.
    pub currency: Option<Currency>,
    /// What invoice numbers begin with; 3 to 12 of `A`-`Z`, `0`-`9`, unique in the account for ever.
    pub invoice_prefix: String,
    /// The number of the next invoice.
    pub next_invoice_sequence: u64,
    /// What invoices of this customer show.
    pub invoice_settings: InvoiceSettings,
    /// Free data, as far as it is text within the bounds of metadata.
    pub metadata: Metadata,
    /// The rest of the free data.
    pub data: Data,
    /// What it pays with, in the words of those who keep no payment methods; what is shown is
    /// [`Customer::payment_reference`].
    pub paid_by: PaymentReference,
    /// Languages, best first, as IETF tags.
    pub preferred_locales: Vec<String>,
    /// Whether tax is charged.
    pub tax_exempt: TaxExempt,
    /// An address on the network that tells where the customer is.
    pub tax_ip: Option<IpAddr>,
    /// How received bank transfers are matched; `None` follows the account.
    pub reconciliation: Option<Reconciliation>,
    /// Money that the customer has sent and that has paid for nothing yet: minor units by currency. A currency that came
    /// stays, also when there is nothing left of it.
    pub cash: BTreeMap<Currency, i64>,
    /// What it pays with, in the order in which it came; at most [`MAX_INSTRUMENTS`](super::instrument::MAX_INSTRUMENTS).
    pub instruments: Vec<Instrument>,
    /// The source that is charged when nothing else is said; one of the instruments.
    pub default_source: Option<InstrumentId>,
    /// What it redeemed, maybe over by now: see [`Customer::discount_at`].
    pub discount: Option<Discount>,
    /// The numbers under which tax offices know it, in the order in which they came; at most
    /// [`MAX_TAX_IDS`](super::tax_id::MAX_TAX_IDS).
    pub tax_ids: Vec<TaxId>,
}

words! {
    /// Who a customer is.
    pub enum CustomerKind {
        /// A person.
        Individual = "individual",
        /// A business.
        Business = "business",
    }
}

words! {
    /// How a customer stands with the account.
    pub enum CustomerStatus {
        /// In good standing.
        Active = "active",
        /// Not served any more.
        Inactive = "inactive",
        /// Not served for the time being, as for want of a payment.
        Suspended = "suspended",
    }
}

/// A change of how a customer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    /// It stands so.
    To(CustomerStatus),
    /// It is not active, for those who know only one way of not being so: a suspended customer stays suspended.
    NotActive,
}

impl CustomerStatus {
    fn changed(self, change: StatusChange) -> CustomerStatus {
        match (change, self) {
            (StatusChange::To(status), _) => status,
            (StatusChange::NotActive, CustomerStatus::Suspended) => CustomerStatus::Suspended,
            (StatusChange::NotActive, CustomerStatus::Active | CustomerStatus::Inactive) => CustomerStatus::Inactive,
        }
    }
}

/// What invoices of a customer show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoiceSettings {
    /// Extra lines; `None` when never set, empty when emptied.
    pub custom_fields: Option<Vec<CustomField>>,
    /// Text at the foot.
    pub footer: Option<String>,
    /// How amounts are shown; `None` when never set or emptied.
    pub rendering: Option<Rendering>,
    /// The payment method that invoices are charged to; one of the instruments.
    pub default_payment_method: Option<InstrumentId>,
}

/// A line on an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// What it says.
    pub name: String,
    /// What it says of it.
    pub value: String,
}

/// How an invoice shows amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendering {
    /// Whether line amounts include tax.
    pub amount_tax_display: Option<AmountTaxDisplay>,
}

/// Whether line amounts include tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountTaxDisplay {
    /// Amounts are shown without tax.
    ExcludeTax,
    /// Amounts are shown with inclusive tax.
    IncludeInclusiveTax,
}

/// Whether tax is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaxExempt {
    /// It is.
    #[default]
    None,
    /// It is not.
    Exempt,
    /// The customer accounts for it.
    Reverse,
}

/// How received bank transfers are matched to what is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciliation {
    /// By the server.
    Automatic,
    /// By a call.
    Manual,
}

/// A change of a customer. What is not mentioned stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomerChange {
    /// Full name. Another one than before forgets given and family name.
    pub name: Patch<String>,
    /// Given name, which makes a new full name, also of one that is mentioned beside it.
    pub given_name: Patch<String>,
    /// Family name, likewise.
    pub family_name: Patch<String>,
    /// Whether it is a person or a business.
    pub kind: Patch<CustomerKind>,
    /// How it stands.
    pub status: Option<StatusChange>,
    /// Name of the business.
    pub business_name: Patch<String>,
    /// Name of the person.
    pub individual_name: Patch<String>,
    /// E-mail address.
    pub email: Patch<String>,
    /// Refuse another e-mail address than before, case apart, that a live customer of the account has.
    pub unique_email: bool,
    /// Phone number.
    pub phone: Patch<String>,
    /// Free text.
    pub description: Patch<String>,
    /// Billing address.
    pub address: Patch<NewAddress>,
    /// Shipping details.
    pub shipping: Patch<NewShipping>,
    /// The balance to have, absolute.
    pub balance: Option<i64>,
    /// The prefix to have.
    pub invoice_prefix: Option<String>,
    /// The number of the next invoice.
    pub next_invoice_sequence: Option<u64>,
    /// Extra lines on invoices, replaced whole.
    pub custom_fields: Patch<Vec<CustomField>>,
    /// Text at the foot of invoices.
    pub footer: Patch<String>,
    /// How amounts are shown, merged by part.
    pub rendering: Patch<RenderingChange>,
    /// Free data that is text, merged by key. What is not text stays.
    pub metadata: MetadataChange,
    /// All free data, replaced whole; what is mentioned as metadata is merged afterwards.
    pub data: Patch<Entries>,
    /// What it pays with. The id of a payment method that it holds becomes the one that invoices are charged to, and nothing
    /// leaves invoices without one.
    pub paid_by: Patch<String>,
    /// Languages, replaced whole.
    pub preferred_locales: Option<Vec<String>>,
    /// Whether tax is charged.
    pub tax_exempt: Patch<TaxExempt>,
    /// An address on the network.
    pub tax_ip: Patch<IpAddr>,
    /// Refuse the change when the customer's tax location is unknown afterwards.
    pub tax_location_required: bool,
    /// How bank transfers are matched; `Clear` follows the account.
    pub reconciliation: Patch<Reconciliation>,
    /// What to redeem in place of what was redeemed before; `Clear` ends the discount.
    pub redemption: Patch<Redemption>,
    /// A source in place of the default one.
    pub source: Option<Instrument>,
    /// A payment method beside the others.
    pub payment_method: Option<Instrument>,
    /// The source to charge when nothing else is said.
    pub default_source: Option<SourceChoice>,
    /// The payment method to charge invoices to.
    pub default_payment_method: Patch<InstrumentId>,
}

/// A change of how an invoice shows amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenderingChange {
    /// Whether line amounts include tax.
    pub amount_tax_display: Patch<AmountTaxDisplay>,
}

impl Customer {
    /// A customer with no facts, made `now`.
    pub fn blank(id: CustomerId, invoice_prefix: String, now: Time) -> Customer {
        Customer {
            id,
            version: 1,
            created: now,
            updated: now,
            deleted: None,
            name: None,
            given_name: None,
            family_name: None,
            kind: None,
            status: CustomerStatus::Active,
            business_name: None,
            individual_name: None,
            email: None,
            phone: None,
            description: None,
            address: None,
            shipping: None,
            balance: 0,
            currency: None,
            invoice_prefix,
            next_invoice_sequence: 1,
            invoice_settings: InvoiceSettings::default(),
            metadata: Metadata::new(),
            data: Data::default(),
            paid_by: PaymentReference::Unsaid,
            preferred_locales: Vec::new(),
            tax_exempt: TaxExempt::None,
            tax_ip: None,
            reconciliation: None,
            cash: BTreeMap::new(),
            instruments: Vec::new(),
            default_source: None,
            discount: None,
            tax_ids: Vec::new(),
        }
    }

    /// The customer with the change applied, or the rule that the change breaks. `account_currency` is what a balance
    /// is in when the customer has no currency.
    pub fn with(&self, change: CustomerChange, account_currency: Currency) -> Result<Customer, Problem> {
        let CustomerChange {
            name,
            given_name,
            family_name,
            kind,
            status,
            business_name,
            individual_name,
            email,
            // Takes looking at the other customers: `engine::customers`.
            unique_email: _,
            phone,
            description,
            address,
            shipping,
            balance,
            invoice_prefix,
            next_invoice_sequence,
            custom_fields,
            footer,
            rendering,
            metadata,
            data,
            paid_by,
            preferred_locales,
            tax_exempt,
            tax_ip,
            tax_location_required,
            reconciliation,
            redemption,
            source,
            payment_method,
            default_source,
            default_payment_method,
        } = change;
        let mut next = match source {
            Some(source) => self.with_new_source(source)?,
            None => self.clone(),
        };
        if let Some(method) = payment_method {
            next = next.with_instrument(method)?;
        }
        next.rename(name);
        next.rename_in_parts(given_name, family_name);
        kind.onto(&mut next.kind);
        next.status = status.map_or(next.status, |change| next.status.changed(change));
        business_name.onto(&mut next.business_name);
        individual_name.onto(&mut next.individual_name);
        email.onto(&mut next.email);
        phone.onto(&mut next.phone);
        description.onto(&mut next.description);
        address.map(|new| new.onto(self.address.as_ref())).onto(&mut next.address);
        shipping.map(|new| new.onto(self.shipping.as_ref())).onto(&mut next.shipping);
        next.forget_repeated_contacts(self);
        if let Some(balance) = balance {
            balance.checked_sub(self.balance).ok_or(Problem::BalanceOutOfRange(BalanceWish::Set))?;
            next.balance = balance;
            if balance != self.balance && next.currency.is_none() {
                next.currency = Some(account_currency);
            }
        }
        next.invoice_prefix = invoice_prefix.unwrap_or(next.invoice_prefix);
        next.next_invoice_sequence = next_invoice_sequence.unwrap_or(next.next_invoice_sequence);
        match custom_fields {
            Patch::Keep => {}
            // An emptied list is empty, not unknown: only a customer that never had one shows none.
            Patch::Clear => next.invoice_settings.custom_fields = Some(Vec::new()),
            Patch::Set(fields) => next.invoice_settings.custom_fields = Some(fields),
        }
        footer.onto(&mut next.invoice_settings.footer);
        match rendering {
            Patch::Keep => {}
            Patch::Clear => next.invoice_settings.rendering = None,
            Patch::Set(RenderingChange { amount_tax_display }) => {
                let rendering = next.invoice_settings.rendering.get_or_insert_default();
                amount_tax_display.onto(&mut rendering.amount_tax_display);
            }
        }
        next.replace_data(data);
        next.merge_metadata(metadata)?;
        next.preferred_locales = preferred_locales.unwrap_or(next.preferred_locales);
        match tax_exempt {
            Patch::Keep => {}
            Patch::Clear => next.tax_exempt = TaxExempt::None,
            Patch::Set(exempt) => next.tax_exempt = exempt,
        }
        tax_ip.onto(&mut next.tax_ip);
        reconciliation.onto(&mut next.reconciliation);
        match redemption {
            // What is redeemed takes looking at the coupon: `with_discount`.
            Patch::Keep | Patch::Set(_) => {}
            Patch::Clear => next.discount = None,
        }
        if let Some(choice) = default_source {
            next.default_source = Some(next.source(&choice)?.id().clone());
        }
        match default_payment_method {
            Patch::Keep => {}
            Patch::Clear => next.invoice_settings.default_payment_method = None,
            Patch::Set(id) => next.choose_payment_method(id)?,
        }
        next.refer_to_payment(paid_by);
        if tax_location_required && next.tax_location().is_none() {
            return Err(Problem::TaxLocationUnknown);
        }
        Ok(next)
    }

    /// All free data; `None` where there never was any, or where it was taken away.
    pub fn free_data(&self) -> Option<Entries> {
        let texts = self.metadata.iter().map(|(name, text)| (name.clone(), Value::Text(text.clone())));
        let all: Entries = texts.chain(self.data.entries.clone()).collect();
        (self.data.emptied || !all.is_empty()).then_some(all)
    }

    fn replace_data(&mut self, data: Patch<Entries>) {
        match data {
            Patch::Keep => {}
            Patch::Clear => (self.metadata, self.data) = (Metadata::new(), Data::default()),
            // What is the same stays where it is: there is more than one way to share out more than metadata can hold.
            Patch::Set(all) if self.free_data().as_ref() == Some(&all) => {}
            Patch::Set(all) => {
                let emptied = all.is_empty();
                let (metadata, entries) = data::split(all);
                (self.metadata, self.data) = (metadata, Data { entries, emptied });
            }
        }
    }

    fn merge_metadata(&mut self, change: MetadataChange) -> Result<(), Problem> {
        let had_any = !self.metadata.is_empty();
        change.onto(&mut self.metadata)?;
        // A text takes the place of whatever had its name.
        self.data.entries.retain(|name, _| !self.metadata.contains_key(name));
        let has_any = !self.metadata.is_empty() || !self.data.entries.is_empty();
        // What was emptied is empty, not unknown.
        self.data.emptied = !has_any && (had_any || self.data.emptied);
        Ok(())
    }

    /// When a change of `now` is said to have been made: later than every change before, also where the clock stood still.
    pub fn next_update(&self, now: Time) -> Time {
        now.max(self.updated.plus_millis(1))
    }

    /// Whether it has the e-mail address, case apart.
    pub fn has_email(&self, email: &str) -> bool {
        self.email.as_deref().is_some_and(|own| letters_without_case(own).eq(letters_without_case(email)))
    }

    /// What stays of a deleted customer.
    pub fn tombstone(&self, now: Time) -> Customer {
        let mut rest = Customer::blank(self.id.clone(), self.invoice_prefix.clone(), self.created);
        rest.version = self.version + 1;
        rest.updated = self.next_update(now);
        rest.deleted = Some(now);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CustomerId;

    fn blank() -> Customer {
        Customer::blank(CustomerId("cus_1".into()), "A1B2C3D4".into(), Time(5))
    }

    fn with(customer: &Customer, change: CustomerChange) -> Customer {
        customer.with(change, Currency::parse("usd").unwrap()).unwrap()
    }

    fn entries(pairs: &[(&str, Value)]) -> Entries {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn all(data: Patch<Entries>) -> CustomerChange {
        CustomerChange { data, ..CustomerChange::default() }
    }

    fn merge(pairs: &[(&str, &str)]) -> CustomerChange {
        let pairs =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()).filter(|v| !v.is_empty())));
        CustomerChange { metadata: MetadataChange::Merge(pairs.collect()), ..CustomerChange::default() }
    }

    fn clear() -> CustomerChange {
        CustomerChange { metadata: MetadataChange::Clear, ..CustomerChange::default() }
    }

    #[test]
    fn a_suspended_customer_is_only_lifted_by_being_made_active() {
        use CustomerStatus::{Active, Inactive, Suspended};
        let cases = [
            (Active, StatusChange::NotActive, Inactive),
            (Inactive, StatusChange::NotActive, Inactive),
            (Suspended, StatusChange::NotActive, Suspended),
            (Suspended, StatusChange::To(Inactive), Inactive),
            (Suspended, StatusChange::To(Active), Active),
            (Active, StatusChange::To(Suspended), Suspended),
        ];
        for (before, change, wanted) in cases {
            let customer = Customer { status: before, ..blank() };
            let change = CustomerChange { status: Some(change), ..CustomerChange::default() };
            assert_eq!(with(&customer, change).status, wanted, "{before:?}");
        }
    }

    #[test]
    fn metadata_is_merged_beside_what_it_cannot_express() {
        let given = entries(&[("plan", text("gold")), ("seats", Value::Whole(3)), ("note", text(""))]);
        let customer = with(&blank(), all(Patch::Set(given.clone())));
        assert_eq!(customer.metadata, Metadata::from([("plan".into(), "gold".into())]));
        assert_eq!(customer.free_data(), Some(given));

        let merged = with(&customer, merge(&[("plan", ""), ("tier", "1"), ("seats", "")]));
        let wanted = entries(&[("note", text("")), ("seats", Value::Whole(3)), ("tier", text("1"))]);
        assert_eq!(merged.free_data(), Some(wanted));
        let replaced = with(&customer, merge(&[("seats", "many")]));
        assert_eq!(replaced.free_data().unwrap()["seats"], text("many"));
        assert!(!replaced.data.entries.contains_key("seats"));
        let cleared = with(&customer, clear());
        assert_eq!(cleared.free_data(), Some(entries(&[("note", text("")), ("seats", Value::Whole(3))])));
    }

    #[test]
    fn no_free_data_is_not_an_empty_map() {
        assert_eq!(blank().free_data(), None);
        assert_eq!(with(&blank(), clear()), blank());
        let emptied = with(&blank(), all(Patch::Set(Entries::new())));
        assert_eq!(emptied.free_data(), Some(Entries::new()));
        assert_eq!(with(&emptied, merge(&[])), emptied);
        assert_eq!(with(&emptied, all(Patch::Clear)), blank());
        let filled = with(&emptied, merge(&[("plan", "gold")]));
        assert!(!filled.data.emptied);
        for emptying in [clear(), merge(&[("plan", "")]), all(Patch::Set(Entries::new()))] {
            assert_eq!(with(&filled, emptying), emptied);
        }
    }

    #[test]
    fn the_same_free_data_stays_where_it_is() {
        let many: Entries = (0..60).map(|number| (format!("{number:02}"), text("x"))).collect();
        let customer = with(&blank(), all(Patch::Set(many)));
        let fewer = with(&customer, merge(&[("00", "")]));
        assert_eq!((fewer.metadata.len(), fewer.data.entries.len()), (49, 10));
        assert_eq!(with(&fewer, all(Patch::Set(fewer.free_data().unwrap()))), fewer);
    }

    #[test]
    fn updates_follow_each_other_when_the_clock_stands_still() {
        let mut customer = blank();
        customer.updated = Time(100);
        assert_eq!(
            [Time(50), Time(100), Time(101), Time(200)].map(|now| customer.next_update(now).0),
            [101, 101, 101, 200]
        );
    }

    #[test]
    fn an_email_address_has_no_case() {
        let customer = Customer { email: Some("Jenny@Example.com".into()), ..blank() };
        assert!(customer.has_email("jENNY@example.COM") && !customer.has_email("jenny@example.co"));
        assert!(!blank().has_email(""));
    }
}
