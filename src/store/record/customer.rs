//! The shape of a customer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::{AddressShape, ShippingShape};
use super::data::{EntriesShape, borrowed_entries, owned_entries};
use super::discount::DiscountShape;
use super::instrument::InstrumentShape;
use super::tax_id::TaxIdShape;
use super::{Text, Unreadable, borrowed, is_default, owned, parse, shape_of, word, write};
use crate::domain::address::{Address, Shipping};
use crate::domain::customer::{
    AmountTaxDisplay, CustomField, Customer, CustomerKind, CustomerStatus, InvoiceSettings, Reconciliation, Rendering,
    TaxExempt,
};
use crate::domain::data::Data;
use crate::domain::discount::Discount;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::Instrument;
use crate::domain::metadata::Metadata;
use crate::domain::money::Currency;
use crate::domain::payment_reference::PaymentReference;
use crate::domain::tax_id::TaxId;
use crate::domain::time::Time;

/// The body of a customer.
pub fn write_customer(customer: &Customer) -> String {
    write(&CustomerShape::from(customer))
}

/// The customer of a body.
pub fn read_customer(body: &str) -> Result<Customer, Unreadable> {
    match shape_of(body)? {
        1 => parse::<CustomerShape<'static>>(body)?.try_into(),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct CustomerShape<'a> {
    id: Text<'a>,
    version: u64,
    created: i64,
    updated: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Text<'a>>,
    /// `None` is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    individual_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping: Option<ShippingShape<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    balance: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Text<'a>>,
    prefix: Text<'a>,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    next_invoice: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_fields: Option<Vec<(Text<'a>, Text<'a>)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rendering: Option<RenderingShape>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    data: EntriesShape<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    emptied: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_by: Option<PaidByShape<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    locales: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    tax_exempt: TaxExemptShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reconciliation: Option<ReconciliationShape>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    cash: BTreeMap<Text<'a>, i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    instruments: Vec<InstrumentShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_source: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_payment_method: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<DiscountShape<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_ids: Vec<TaxIdShape<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PaidByShape<'a> {
    Nothing,
    Text(Text<'a>),
}

#[derive(Serialize, Deserialize)]
struct RenderingShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<AmountTaxDisplayShape>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AmountTaxDisplayShape {
    ExcludeTax,
    IncludeInclusiveTax,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaxExemptShape {
    #[default]
    None,
    Exempt,
    Reverse,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReconciliationShape {
    Automatic,
    Manual,
}

fn first() -> u64 {
    1
}

fn is_first(number: &u64) -> bool {
    *number == first()
}

pub(super) fn borrowed_metadata(metadata: &Metadata) -> BTreeMap<Text<'_>, Text<'_>> {
    metadata.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Cow::Borrowed(value.as_str()))).collect()
}

pub(super) fn owned_metadata(metadata: BTreeMap<Text<'_>, Text<'_>>) -> Metadata {
    metadata.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

pub(super) fn read_currency(code: &str) -> Result<Currency, Unreadable> {
    Currency::parse(code).ok_or(Unreadable::UnknownWord("currency"))
}

impl<'a> From<&'a Customer> for CustomerShape<'a> {
    fn from(customer: &'a Customer) -> CustomerShape<'a> {
        let Customer {
            id: CustomerId(id),
            version,
            created,
            updated,
            deleted,
            name,
            given_name,
            family_name,
            kind,
            status,
            business_name,
            individual_name,
            email,
            phone,
            description,
            address,
            shipping,
            balance,
            currency,
            invoice_prefix,
            next_invoice_sequence,
            invoice_settings: InvoiceSettings { custom_fields, footer, rendering, default_payment_method },
            metadata,
            data: Data { entries, emptied },
            paid_by,
            preferred_locales,
            tax_exempt,
            tax_ip,
            reconciliation,
            cash,
            instruments,
            default_source,
            discount,
            tax_ids,
        } = customer;
        CustomerShape {
            id: Cow::Borrowed(id),
            version: *version,
            created: created.0,
            updated: updated.0,
            deleted: deleted.map(|time| time.0),
            name: borrowed(name),
            given_name: borrowed(given_name),
            family_name: borrowed(family_name),
            kind: kind.map(|kind| Cow::Borrowed(kind.as_str())),
            status: Some(*status)
                .filter(|status| *status != CustomerStatus::Active)
                .map(|status| status.as_str().into()),
            business_name: borrowed(business_name),
            individual_name: borrowed(individual_name),
            email: borrowed(email),
            phone: borrowed(phone),
            description: borrowed(description),
            address: address.as_ref().map(AddressShape::from),
            shipping: shipping.as_ref().map(ShippingShape::from),
            balance: *balance,
            currency: currency.as_ref().map(|currency| Cow::Borrowed(currency.as_str())),
            prefix: Cow::Borrowed(invoice_prefix),
            next_invoice: *next_invoice_sequence,
            custom_fields: custom_fields.as_ref().map(|fields| {
                let pair = |CustomField { name, value }: &'a CustomField| {
                    (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_str()))
                };
                fields.iter().map(pair).collect()
            }),
            footer: borrowed(footer),
            rendering: rendering.as_ref().map(|Rendering { amount_tax_display }| RenderingShape {
                tax: amount_tax_display.map(|display| match display {
                    AmountTaxDisplay::ExcludeTax => AmountTaxDisplayShape::ExcludeTax,
                    AmountTaxDisplay::IncludeInclusiveTax => AmountTaxDisplayShape::IncludeInclusiveTax,
                }),
            }),
            metadata: borrowed_metadata(metadata),
            data: borrowed_entries(entries),
            emptied: *emptied,
            paid_by: match paid_by {
                PaymentReference::Unsaid => None,
                PaymentReference::Nothing => Some(PaidByShape::Nothing),
                PaymentReference::Text(text) => Some(PaidByShape::Text(Cow::Borrowed(text))),
            },
            locales: preferred_locales.iter().map(|locale| Cow::Borrowed(locale.as_str())).collect(),
            tax_exempt: match tax_exempt {
                TaxExempt::None => TaxExemptShape::None,
                TaxExempt::Exempt => TaxExemptShape::Exempt,
                TaxExempt::Reverse => TaxExemptShape::Reverse,
            },
            tax_ip: *tax_ip,
            reconciliation: reconciliation.map(|by| match by {
                Reconciliation::Automatic => ReconciliationShape::Automatic,
                Reconciliation::Manual => ReconciliationShape::Manual,
            }),
            cash: cash.iter().map(|(currency, amount)| (Cow::Borrowed(currency.as_str()), *amount)).collect(),
            instruments: instruments.iter().map(InstrumentShape::from).collect(),
            default_source: default_source.as_ref().map(|InstrumentId(id)| Cow::Borrowed(id.as_str())),
            default_payment_method: default_payment_method.as_ref().map(|InstrumentId(id)| Cow::Borrowed(id.as_str())),
            discount: discount.as_ref().map(DiscountShape::from),
            tax_ids: tax_ids.iter().map(TaxIdShape::from).collect(),
        }
    }
}

impl TryFrom<CustomerShape<'_>> for Customer {
    type Error = Unreadable;

    fn try_from(shape: CustomerShape<'_>) -> Result<Customer, Unreadable> {
        let CustomerShape {
            id,
            version,
            created,
            updated,
            deleted,
            name,
            given_name,
            family_name,
            kind,
            status,
            business_name,
            individual_name,
            email,
            phone,
            description,
            address,
            shipping,
            balance,
            currency,
            prefix,
            next_invoice,
            custom_fields,
            footer,
            rendering,
            metadata,
            data,
            emptied,
            paid_by,
            locales,
            tax_exempt,
            tax_ip,
            reconciliation,
            cash,
            instruments,
            default_source,
            default_payment_method,
            discount,
            tax_ids,
        } = shape;
        let held = |(currency, amount): (Text<'_>, i64)| Ok((read_currency(&currency)?, amount));
        let field =
            |(name, value): (Text<'_>, Text<'_>)| CustomField { name: name.into_owned(), value: value.into_owned() };
        Ok(Customer {
            id: CustomerId(id.into_owned()),
            version,
            created: Time(created),
            updated: Time(updated),
            deleted: deleted.map(Time),
            name: owned(name),
            given_name: owned(given_name),
            family_name: owned(family_name),
            kind: kind.map(|kind| word("kind", &kind, CustomerKind::named)).transpose()?,
            status: match status {
                None => CustomerStatus::Active,
                Some(status) => word("status", &status, CustomerStatus::named)?,
            },
            business_name: owned(business_name),
            individual_name: owned(individual_name),
            email: owned(email),
            phone: owned(phone),
            description: owned(description),
            address: address.map(Address::from),
            shipping: shipping.map(Shipping::from),
            balance,
            currency: currency.as_deref().map(read_currency).transpose()?,
            invoice_prefix: prefix.into_owned(),
            next_invoice_sequence: next_invoice,
            invoice_settings: InvoiceSettings {
                custom_fields: custom_fields.map(|fields| fields.into_iter().map(field).collect()),
                footer: owned(footer),
                rendering: rendering.map(|RenderingShape { tax }| Rendering {
                    amount_tax_display: tax.map(|display| match display {
                        AmountTaxDisplayShape::ExcludeTax => AmountTaxDisplay::ExcludeTax,
                        AmountTaxDisplayShape::IncludeInclusiveTax => AmountTaxDisplay::IncludeInclusiveTax,
                    }),
                }),
                default_payment_method: owned(default_payment_method).map(InstrumentId),
            },
            metadata: owned_metadata(metadata),
            data: Data { entries: owned_entries(data), emptied },
            paid_by: match paid_by {
                None => PaymentReference::Unsaid,
                Some(PaidByShape::Nothing) => PaymentReference::Nothing,
                Some(PaidByShape::Text(text)) => PaymentReference::Text(text.into_owned()),
            },
            preferred_locales: locales.into_iter().map(Cow::into_owned).collect(),
            tax_exempt: match tax_exempt {
                TaxExemptShape::None => TaxExempt::None,
                TaxExemptShape::Exempt => TaxExempt::Exempt,
                TaxExemptShape::Reverse => TaxExempt::Reverse,
            },
            tax_ip,
            reconciliation: reconciliation.map(|by| match by {
                ReconciliationShape::Automatic => Reconciliation::Automatic,
                ReconciliationShape::Manual => Reconciliation::Manual,
            }),
            cash: cash.into_iter().map(held).collect::<Result<_, _>>()?,
            instruments: instruments.into_iter().map(Instrument::try_from).collect::<Result<_, _>>()?,
            default_source: owned(default_source).map(InstrumentId),
            discount: discount.map(Discount::from),
            tax_ids: tax_ids.into_iter().map(TaxId::try_from).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::{read_customer, write_customer};
    use crate::domain::customer::{
        AmountTaxDisplay, CustomField, Customer, CustomerKind, CustomerStatus, InvoiceSettings, Reconciliation,
        Rendering, TaxExempt,
    };
    use crate::domain::data::Data;
    use crate::domain::ids::{CustomerId, InstrumentId};
    use crate::domain::money::{Currency, SUPPORTED};
    use crate::domain::payment_reference::PaymentReference;
    use crate::domain::time::Time;
    use crate::store::record::address::tests::{addresses, shippings};
    use crate::store::record::data::tests::entries;
    use crate::store::record::discount::tests::discounts;
    use crate::store::record::instrument::tests::instruments;
    use crate::store::record::tax_id::tests::tax_ids;

    #[test]
    fn a_customer_of_few_facts_has_a_short_body() {
        let mut customer = Customer::blank(CustomerId("cus_1".into()), "A1B2C3D4".into(), Time(5));
        customer.email = Some("jenny@example.com".into());
        let body = r#"{"v":1,"id":"cus_1","version":1,"created":5,"updated":5,"email":"jenny@example.com","prefix":"A1B2C3D4"}"#;
        assert_eq!(write_customer(&customer), body);
        assert_eq!(read_customer(body), Ok(customer));
    }

    #[test]
    fn a_currency_that_is_not_known_is_refused() {
        let customer = r#"{"v":1,"id":"c","version":1,"created":5,"updated":5,"prefix":"A""#;
        for money in [r#""currency":"zzz""#, r#""cash":{"eur":5,"zzz":5}"#] {
            assert!(read_customer(&format!("{customer},{money}}}")).is_err(), "{money}");
        }
        assert!(read_customer(&format!(r#"{customer},"cash":{{"eur":5,"usd":0}}}}"#)).is_ok());
    }

    #[test]
    fn a_body_of_before_there_was_a_status_is_of_an_active_customer() {
        let body = r#"{"v":1,"id":"c","version":1,"created":5,"updated":5,"name":"Jane Doe","prefix":"A"}"#;
        let customer = read_customer(body).unwrap();
        assert_eq!((customer.status, customer.kind), (CustomerStatus::Active, None));
        assert_eq!((customer.given_name, customer.family_name), (None, None));
        assert_eq!((customer.data, customer.paid_by), (Data::default(), PaymentReference::Unsaid));
    }

    proptest! {
        #[test]
        fn every_customer_is_read_as_it_was_written(customer in customers()) {
            prop_assert_eq!(read_customer(&write_customer(&customer)), Ok(customer));
        }
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        option::of(any::<String>())
    }

    fn invoice_settings() -> impl Strategy<Value = InvoiceSettings> {
        let field = (any::<String>(), any::<String>()).prop_map(|(name, value)| CustomField { name, value });
        let display = prop_oneof![Just(AmountTaxDisplay::ExcludeTax), Just(AmountTaxDisplay::IncludeInclusiveTax)];
        let rendering = option::of(display).prop_map(|amount_tax_display| Rendering { amount_tax_display });
        (option::of(vec(field, 0..4)), text(), option::of(rendering), text()).prop_map(
            |(custom_fields, footer, rendering, default)| InvoiceSettings {
                custom_fields,
                footer,
                rendering,
                default_payment_method: default.map(InstrumentId),
            },
        )
    }

    fn network_addresses() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
            any::<[u8; 16]>().prop_map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
        ]
    }

    /// Customers with any facts at all, also those that no request could give them.
    pub(crate) fn customers() -> impl Strategy<Value = Customer> {
        let times = (any::<i64>(), any::<i64>(), option::of(any::<i64>()), any::<u64>());
        let names = (text(), text(), text(), text(), text(), text());
        let places = (option::of(addresses()), option::of(shippings()), option::of(network_addresses()));
        let money = (any::<i64>(), option::of(0..SUPPORTED.len()), any::<String>(), any::<u64>());
        let exempt = prop_oneof![Just(TaxExempt::None), Just(TaxExempt::Exempt), Just(TaxExempt::Reverse)];
        let by = prop_oneof![Just(Reconciliation::Automatic), Just(Reconciliation::Manual)];
        let free = (btree_map(any::<String>(), any::<String>(), 0..5), vec(any::<String>(), 0..3));
        let cash = btree_map(0..SUPPORTED.len(), any::<i64>(), 0..4);
        let held = (vec(instruments(), 0..3), text(), cash, option::of(discounts()), vec(tax_ids(), 0..3));
        let reference = prop_oneof![
            Just(PaymentReference::Unsaid),
            Just(PaymentReference::Nothing),
            any::<String>().prop_map(PaymentReference::Text)
        ];
        let data = (entries(), any::<bool>()).prop_map(|(entries, emptied)| Data { entries, emptied });
        let (kinds, statuses) = (CustomerKind::ALL, CustomerStatus::ALL);
        // Boxed, as what holds it is large for a test's stack.
        let person = (text(), text(), option::of(0..kinds.len()), 0..statuses.len(), data, reference).boxed();
        let rest = (option::of(by), person);
        (times, names, places, money, invoice_settings(), exempt, rest, free, held)
            .prop_map(
                |(times, names, places, money, invoice_settings, tax_exempt, (reconciliation, person), free, held)| {
                    Customer {
                        id: CustomerId(format!("cus_{}", times.0)),
                        version: times.3,
                        created: Time(times.0),
                        updated: Time(times.1),
                        deleted: times.2.map(Time),
                        name: names.0,
                        given_name: person.0,
                        family_name: person.1,
                        kind: person.2.map(|place| kinds[place]),
                        status: statuses[person.3],
                        data: person.4,
                        paid_by: person.5,
                        business_name: names.1,
                        individual_name: names.2,
                        email: names.3,
                        phone: names.4,
                        description: names.5,
                        address: places.0,
                        shipping: places.1,
                        balance: money.0,
                        currency: money.1.and_then(|index| Currency::parse(SUPPORTED[index])),
                        invoice_prefix: money.2,
                        next_invoice_sequence: money.3,
                        invoice_settings,
                        metadata: free.0,
                        preferred_locales: free.1,
                        tax_exempt,
                        tax_ip: places.2,
                        reconciliation,
                        instruments: held.0,
                        default_source: held.1.map(InstrumentId),
                        cash: held
                            .2
                            .into_iter()
                            .filter_map(|(at, sum)| Some((Currency::parse(SUPPORTED[at])?, sum)))
                            .collect(),
                        discount: held.3,
                        tax_ids: held.4,
                    }
                },
            )
            .boxed()
    }
}
