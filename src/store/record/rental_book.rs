//! The shape of a customer's rental book.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Text, Unreadable, is_default};
use crate::domain::ids::{CustomerId, OrderId, RentalId};
use crate::domain::rental_book::RentalBook;
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct RentalBookShape<'a> {
    customer: Text<'a>,
    created: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    orders: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    open_orders: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rentals: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    active: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    monthly_revenue: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    collected: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    acquisition_cost: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    tracked: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_start: Option<i64>,
}

impl<'a> From<&'a RentalBook> for RentalBookShape<'a> {
    fn from(book: &'a RentalBook) -> RentalBookShape<'a> {
        let RentalBook {
            customer: CustomerId(customer),
            created,
            orders,
            open_orders,
            rentals,
            active,
            monthly_revenue,
            collected,
            acquisition_cost,
            tracked,
            first_start,
        } = book;
        RentalBookShape {
            customer: Cow::Borrowed(customer),
            created: created.0,
            orders: orders.iter().map(|OrderId(id)| Cow::Borrowed(id.as_str())).collect(),
            open_orders: *open_orders,
            rentals: rentals.iter().map(|RentalId(id)| Cow::Borrowed(id.as_str())).collect(),
            active: *active,
            monthly_revenue: *monthly_revenue,
            collected: *collected,
            acquisition_cost: *acquisition_cost,
            tracked: *tracked,
            first_start: first_start.map(|Time(millis)| millis),
        }
    }
}

impl TryFrom<RentalBookShape<'_>> for RentalBook {
    type Error = Unreadable;

    fn try_from(shape: RentalBookShape<'_>) -> Result<RentalBook, Unreadable> {
        let RentalBookShape {
            customer,
            created,
            orders,
            open_orders,
            rentals,
            active,
            monthly_revenue,
            collected,
            acquisition_cost,
            tracked,
            first_start,
        } = shape;
        Ok(RentalBook {
            customer: CustomerId(customer.into_owned()),
            created: Time(created),
            orders: orders.into_iter().map(|id| OrderId(id.into_owned())).collect(),
            open_orders,
            rentals: rentals.into_iter().map(|id| RentalId(id.into_owned())).collect(),
            active,
            monthly_revenue,
            collected,
            acquisition_cost,
            tracked,
            first_start: first_start.map(Time),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    /// Books of any facts.
    pub(crate) fn rental_books() -> impl Strategy<Value = RentalBook> {
        let ids = (any::<String>(), vec(any::<String>(), 0..3), vec(any::<String>(), 0..3));
        let counts = (any::<u32>(), any::<u32>(), any::<u32>());
        let amounts = (any::<i64>(), any::<i64>(), any::<i64>());
        (ids, any::<i64>(), counts, amounts, option::of(any::<i64>())).prop_map(
            |((customer, orders, rentals), created, counts, amounts, first_start)| RentalBook {
                customer: CustomerId(customer),
                created: Time(created),
                orders: orders.into_iter().map(OrderId).collect(),
                open_orders: counts.0,
                rentals: rentals.into_iter().map(RentalId).collect(),
                active: counts.1,
                monthly_revenue: amounts.0,
                collected: amounts.1,
                acquisition_cost: amounts.2,
                tracked: counts.2,
                first_start: first_start.map(Time),
            },
        )
    }
}
