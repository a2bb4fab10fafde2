//! What a caller can do wrong with orders, rentals and what they are made of. Stripe's API has no words for any of it, and
//! none of its operations can meet it.

use super::ids::OrderId;
use super::order::OrderStatus;

/// A refusal by the rules of renting: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RentalProblem {
    /// No item of a list has the id behind which a page was to begin.
    UnknownCursor(String),
    /// No order of that id in this space.
    NoSuchOrder(OrderId),
    /// No variant has the SKU of that line of an order.
    NoSuchVariant {
        /// The line, from 0.
        line: usize,
        /// The SKU.
        sku: String,
    },
    /// The variant of that line is not to be rented any more.
    VariantInactive {
        /// The line, from 0.
        line: usize,
        /// The SKU.
        sku: String,
    },
    /// The variant of that line cannot be rented for so long.
    InvalidContractLength {
        /// The line, from 0.
        line: usize,
        /// The SKU.
        sku: String,
        /// In months; `None` when nobody said.
        months: Option<u32>,
    },
    /// The order costs more than fits into 64 bits.
    OrderTooLarge,
    /// The customer was deactivated, so it cannot order.
    CustomerInactive,
    /// The customer has active rentals, so it cannot be deactivated.
    CustomerHasActiveRentals,
    /// The customer has orders with units to be rented, so it cannot be deactivated.
    CustomerHasOpenOrders,
    /// Some of the order's units are rented, so it cannot be cancelled.
    OrderNotCancellable(OrderStatus),
    /// The order was cancelled before.
    OrderCancelledAlready,
    /// The order is past the moment at which it can be confirmed.
    OrderNotConfirmable(OrderStatus),
    /// Nothing can be rented from the order as long as it is not confirmed, or when it is cancelled.
    OrderNotConfirmed(OrderStatus),
    /// Every unit of the order, or of that SKU, is rented.
    ItemFullyFulfilled,
    /// The order asks for no such SKU.
    SkuMismatch,
}
