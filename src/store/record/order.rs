//! The shape of an order.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::address::AddressShape;
use super::customer::read_currency;
use super::data::{EntriesShape, borrowed_entries, owned_entries};
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::customer::CustomerKind;
use crate::domain::ids::{CustomerId, OrderId, ProductId, RentalId, Sku, VariantId};
use crate::domain::order::{
    Cancellation, ExtensionDetails, Order, OrderItem, OrderPayment, OrderPaymentStatus, OrderPurpose, OrderStatus,
    OrderTotals, Orderer, UpgradeDetails,
};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct OrderShape<'a> {
    id: Text<'a>,
    created: i64,
    updated: i64,
    created_by: Text<'a>,
    status: Text<'a>,
    /// A standard order has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    extends: Option<ExtensionShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrades: Option<UpgradeShape<'a>>,
    customer: OrdererShape<'a>,
    billing: AddressShape<'a>,
    shipping: AddressShape<'a>,
    items: Vec<ItemShape<'a>>,
    subtotal: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    tax: i64,
    total: i64,
    currency: Text<'a>,
    payment: PaymentShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_fields: Option<EntriesShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<CancellationShape<'a>>,
}

#[derive(Serialize, Deserialize)]
struct ExtensionShape<'a> {
    original: Text<'a>,
    months: u32,
    previous_end: Text<'a>,
    new_end: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct UpgradeShape<'a> {
    previous_device: Text<'a>,
    previous_serial: Text<'a>,
    previous_monthly: i64,
    previous_rental: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct OrdererShape<'a> {
    id: Text<'a>,
    email: Text<'a>,
    given_name: Text<'a>,
    family_name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Text<'a>>,
    kind: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct ItemShape<'a> {
    product: Text<'a>,
    variant: Text<'a>,
    sku: Text<'a>,
    product_name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Text<'a>>,
    quantity: u32,
    unit_price: i64,
    contract_months: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquisition_cost: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rentals: Vec<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct PaymentShape<'a> {
    status: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    marked_by_hand: bool,
}

#[derive(Serialize, Deserialize)]
struct CancellationShape<'a> {
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<'a>>,
}

impl<'a> From<&'a Order> for OrderShape<'a> {
    fn from(order: &'a Order) -> OrderShape<'a> {
        let Order {
            id: OrderId(id),
            created,
            updated,
            created_by,
            status,
            purpose,
            customer,
            billing,
            shipping,
            items,
            totals: OrderTotals { subtotal, tax, total, currency },
            payment,
            custom_fields,
            notes,
            cancelled,
        } = order;
        let (extends, upgrades) = match purpose {
            OrderPurpose::Standard => (None, None),
            OrderPurpose::Extension(details) => (Some(details.into()), None),
            OrderPurpose::Upgrade(details) => (None, Some(details.into())),
        };
        OrderShape {
            id: Cow::Borrowed(id),
            created: created.0,
            updated: updated.0,
            created_by: Cow::Borrowed(created_by),
            status: Cow::Borrowed(status.as_str()),
            extends,
            upgrades,
            customer: customer.into(),
            billing: billing.into(),
            shipping: shipping.into(),
            items: items.iter().map(ItemShape::from).collect(),
            subtotal: *subtotal,
            tax: *tax,
            total: *total,
            currency: Cow::Borrowed(currency.as_str()),
            payment: payment.into(),
            custom_fields: custom_fields.as_ref().map(borrowed_entries),
            notes: borrowed(notes),
            cancelled: cancelled.as_ref().map(CancellationShape::from),
        }
    }
}

impl TryFrom<OrderShape<'_>> for Order {
    type Error = Unreadable;

    fn try_from(shape: OrderShape<'_>) -> Result<Order, Unreadable> {
        let OrderShape {
            id,
            created,
            updated,
            created_by,
            status,
            extends,
            upgrades,
            customer,
            billing,
            shipping,
            items,
            subtotal,
            tax,
            total,
            currency,
            payment,
            custom_fields,
            notes,
            cancelled,
        } = shape;
        Ok(Order {
            id: OrderId(id.into_owned()),
            created: Time(created),
            updated: Time(updated),
            created_by: created_by.into_owned(),
            status: word("status", &status, OrderStatus::named)?,
            purpose: match (extends, upgrades) {
                (None, None) => OrderPurpose::Standard,
                (Some(details), None) => OrderPurpose::Extension(details.into()),
                (None, Some(details)) => OrderPurpose::Upgrade(details.into()),
                (Some(_), Some(_)) => return Err(Unreadable::UnknownWord("purpose")),
            },
            customer: customer.try_into()?,
            billing: billing.into(),
            shipping: shipping.into(),
            items: items.into_iter().map(OrderItem::from).collect(),
            totals: OrderTotals { subtotal, tax, total, currency: read_currency(&currency)? },
            payment: payment.try_into()?,
            custom_fields: custom_fields.map(owned_entries),
            notes: owned(notes),
            cancelled: cancelled.map(Cancellation::from),
        })
    }
}

impl<'a> From<&'a ExtensionDetails> for ExtensionShape<'a> {
    fn from(details: &'a ExtensionDetails) -> ExtensionShape<'a> {
        let ExtensionDetails { original: OrderId(original), months, previous_end, new_end, reason } = details;
        ExtensionShape {
            original: Cow::Borrowed(original),
            months: *months,
            previous_end: Cow::Borrowed(previous_end),
            new_end: Cow::Borrowed(new_end),
            reason: borrowed(reason),
        }
    }
}

impl From<ExtensionShape<'_>> for ExtensionDetails {
    fn from(shape: ExtensionShape<'_>) -> ExtensionDetails {
        let ExtensionShape { original, months, previous_end, new_end, reason } = shape;
        ExtensionDetails {
            original: OrderId(original.into_owned()),
            months,
            previous_end: previous_end.into_owned(),
            new_end: new_end.into_owned(),
            reason: owned(reason),
        }
    }
}

impl<'a> From<&'a UpgradeDetails> for UpgradeShape<'a> {
    fn from(details: &'a UpgradeDetails) -> UpgradeShape<'a> {
        let UpgradeDetails {
            previous_device,
            previous_serial,
            previous_monthly,
            previous_rental: RentalId(previous_rental),
            reason,
        } = details;
        UpgradeShape {
            previous_device: Cow::Borrowed(previous_device),
            previous_serial: Cow::Borrowed(previous_serial),
            previous_monthly: *previous_monthly,
            previous_rental: Cow::Borrowed(previous_rental),
            reason: borrowed(reason),
        }
    }
}

impl From<UpgradeShape<'_>> for UpgradeDetails {
    fn from(shape: UpgradeShape<'_>) -> UpgradeDetails {
        let UpgradeShape { previous_device, previous_serial, previous_monthly, previous_rental, reason } = shape;
        UpgradeDetails {
            previous_device: previous_device.into_owned(),
            previous_serial: previous_serial.into_owned(),
            previous_monthly,
            previous_rental: RentalId(previous_rental.into_owned()),
            reason: owned(reason),
        }
    }
}

impl<'a> From<&'a Orderer> for OrdererShape<'a> {
    fn from(orderer: &'a Orderer) -> OrdererShape<'a> {
        let Orderer { id: CustomerId(id), email, given_name, family_name, company, phone, kind } = orderer;
        OrdererShape {
            id: Cow::Borrowed(id),
            email: Cow::Borrowed(email),
            given_name: Cow::Borrowed(given_name),
            family_name: Cow::Borrowed(family_name),
            company: borrowed(company),
            phone: borrowed(phone),
            kind: Cow::Borrowed(kind.as_str()),
        }
    }
}

impl TryFrom<OrdererShape<'_>> for Orderer {
    type Error = Unreadable;

    fn try_from(shape: OrdererShape<'_>) -> Result<Orderer, Unreadable> {
        let OrdererShape { id, email, given_name, family_name, company, phone, kind } = shape;
        Ok(Orderer {
            id: CustomerId(id.into_owned()),
            email: email.into_owned(),
            given_name: given_name.into_owned(),
            family_name: family_name.into_owned(),
            company: owned(company),
            phone: owned(phone),
            kind: word("kind", &kind, CustomerKind::named)?,
        })
    }
}

impl<'a> From<&'a OrderItem> for ItemShape<'a> {
    fn from(item: &'a OrderItem) -> ItemShape<'a> {
        let OrderItem {
            product: ProductId(product),
            variant: VariantId(variant),
            sku: Sku(sku),
            product_name,
            image,
            quantity,
            unit_price,
            contract_months,
            list_price,
            acquisition_cost,
            rentals,
        } = item;
        ItemShape {
            product: Cow::Borrowed(product),
            variant: Cow::Borrowed(variant),
            sku: Cow::Borrowed(sku),
            product_name: Cow::Borrowed(product_name),
            image: borrowed(image),
            quantity: *quantity,
            unit_price: *unit_price,
            contract_months: *contract_months,
            list_price: *list_price,
            acquisition_cost: *acquisition_cost,
            rentals: rentals.iter().map(|RentalId(id)| Cow::Borrowed(id.as_str())).collect(),
        }
    }
}

impl From<ItemShape<'_>> for OrderItem {
    fn from(shape: ItemShape<'_>) -> OrderItem {
        let ItemShape {
            product,
            variant,
            sku,
            product_name,
            image,
            quantity,
            unit_price,
            contract_months,
            list_price,
            acquisition_cost,
            rentals,
        } = shape;
        OrderItem {
            product: ProductId(product.into_owned()),
            variant: VariantId(variant.into_owned()),
            sku: Sku(sku.into_owned()),
            product_name: product_name.into_owned(),
            image: owned(image),
            quantity,
            unit_price,
            contract_months,
            list_price,
            acquisition_cost,
            rentals: rentals.into_iter().map(|id| RentalId(id.into_owned())).collect(),
        }
    }
}

impl<'a> From<&'a OrderPayment> for PaymentShape<'a> {
    fn from(payment: &'a OrderPayment) -> PaymentShape<'a> {
        let OrderPayment { status, paid, transaction, marked_by_hand } = payment;
        PaymentShape {
            status: Cow::Borrowed(status.as_str()),
            paid: *paid,
            transaction: borrowed(transaction),
            marked_by_hand: *marked_by_hand,
        }
    }
}

impl TryFrom<PaymentShape<'_>> for OrderPayment {
    type Error = Unreadable;

    fn try_from(shape: PaymentShape<'_>) -> Result<OrderPayment, Unreadable> {
        let PaymentShape { status, paid, transaction, marked_by_hand } = shape;
        let status = word("payment", &status, OrderPaymentStatus::named)?;
        Ok(OrderPayment { status, paid, transaction: owned(transaction), marked_by_hand })
    }
}

impl<'a> From<&'a Cancellation> for CancellationShape<'a> {
    fn from(cancellation: &'a Cancellation) -> CancellationShape<'a> {
        let Cancellation { at, reason } = cancellation;
        CancellationShape { at: at.0, reason: borrowed(reason) }
    }
}

impl From<CancellationShape<'_>> for Cancellation {
    fn from(shape: CancellationShape<'_>) -> Cancellation {
        let CancellationShape { at, reason } = shape;
        Cancellation { at: Time(at), reason: owned(reason) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::money::{Currency, SUPPORTED};
    use crate::store::record::address::tests::addresses;
    use crate::store::record::data::tests::entries;

    fn text() -> impl Strategy<Value = Option<String>> {
        option::of(any::<String>())
    }

    fn purposes() -> impl Strategy<Value = OrderPurpose> {
        let words = || (any::<String>(), any::<String>(), any::<String>(), text());
        prop_oneof![
            Just(OrderPurpose::Standard),
            (words(), any::<u32>()).prop_map(|((original, previous_end, new_end, reason), months)| {
                let original = OrderId(original);
                OrderPurpose::Extension(ExtensionDetails { original, months, previous_end, new_end, reason })
            }),
            (words(), any::<i64>()).prop_map(
                |((previous_device, previous_serial, rental, reason), previous_monthly)| {
                    let previous_rental = RentalId(rental);
                    OrderPurpose::Upgrade(UpgradeDetails {
                        previous_device,
                        previous_serial,
                        previous_monthly,
                        previous_rental,
                        reason,
                    })
                }
            ),
        ]
    }

    fn orderers() -> impl Strategy<Value = Orderer> {
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>());
        (names, text(), text(), select(CustomerKind::ALL)).prop_map(|(names, company, phone, kind)| Orderer {
            id: CustomerId(names.0),
            email: names.1,
            given_name: names.2,
            family_name: names.3,
            company,
            phone,
            kind,
        })
    }

    fn items() -> impl Strategy<Value = OrderItem> {
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), text());
        let counts = (any::<u32>(), any::<i64>(), any::<u32>());
        let amounts = (option::of(any::<i64>()), option::of(any::<i64>()));
        (names, counts, amounts, vec(any::<String>(), 0..3)).prop_map(|(names, counts, amounts, rentals)| OrderItem {
            product: ProductId(names.0),
            variant: VariantId(names.1),
            sku: Sku(names.2),
            product_name: names.3,
            image: names.4,
            quantity: counts.0,
            unit_price: counts.1,
            contract_months: counts.2,
            list_price: amounts.0,
            acquisition_cost: amounts.1,
            rentals: rentals.into_iter().map(RentalId).collect(),
        })
    }

    fn payments() -> impl Strategy<Value = OrderPayment> {
        (select(OrderPaymentStatus::ALL), option::of(any::<i64>()), text(), any::<bool>()).prop_map(
            |(status, paid, transaction, marked_by_hand)| OrderPayment { status, paid, transaction, marked_by_hand },
        )
    }

    fn totals() -> impl Strategy<Value = OrderTotals> {
        let currency = select(&SUPPORTED[..]).prop_map(|code| Currency::parse(code).expect("it is supported"));
        (any::<i64>(), any::<i64>(), any::<i64>(), currency).prop_map(|(subtotal, tax, total, currency)| OrderTotals {
            subtotal,
            tax,
            total,
            currency,
        })
    }

    /// Orders of any facts.
    pub(crate) fn orders() -> impl Strategy<Value = Order> {
        let ids = (any::<String>(), any::<String>());
        let moments = (any::<i64>(), any::<i64>());
        let cancelled = option::of((any::<i64>(), text()))
            .prop_map(|cancelled| cancelled.map(|(at, reason)| Cancellation { at: Time(at), reason }));
        let states = (select(OrderStatus::ALL), purposes(), payments(), text(), cancelled);
        let whom = (orderers(), addresses(), addresses(), option::of(entries()));
        (ids, moments, states, whom, vec(items(), 0..3), totals()).prop_map(
            |(ids, moments, states, whom, items, totals)| Order {
                id: OrderId(ids.0),
                created: Time(moments.0),
                updated: Time(moments.1),
                created_by: ids.1,
                status: states.0,
                purpose: states.1,
                customer: whom.0,
                billing: whom.1,
                shipping: whom.2,
                items,
                totals,
                payment: states.2,
                custom_fields: whom.3,
                notes: states.3,
                cancelled: states.4,
            },
        )
    }
}
