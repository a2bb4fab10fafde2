//! What a caller can do wrong with orders, rentals and what they are made of. Stripe's API has no words for any of it, and
//! none of its operations can meet it.

use super::ids::{BillingGroupId, CustomerId, OrderId, RentalId, RentalPaymentId, Sku};
use super::order::OrderStatus;
use super::rental::RentalStatus;

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
        sku: Sku,
    },
    /// The variant of that line is not to be rented any more.
    VariantInactive {
        /// The line, from 0.
        line: usize,
        /// The SKU.
        sku: Sku,
    },
    /// The variant of that line cannot be rented for so long.
    InvalidContractLength {
        /// The line, from 0.
        line: usize,
        /// The SKU.
        sku: Sku,
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
    /// No rental of that id in this space.
    NoSuchRental(RentalId),
    /// The rental of that id, one of several that are asked for, is not there.
    UnknownRental {
        /// Its place among them, from 0.
        place: usize,
        /// Its id.
        id: RentalId,
    },
    /// The rental is another customer's.
    RentalOfOtherCustomer {
        /// Its place among several that are asked for, from 0; `None` where there is but one.
        place: Option<usize>,
        /// Its id.
        id: RentalId,
    },
    /// The rental of that place among several, from 0, ended, and only an active one can join a group.
    MemberNotActive {
        /// Its place.
        place: usize,
        /// How it ended.
        status: RentalStatus,
    },
    /// The billing group is another customer's.
    GroupOfOtherCustomer(BillingGroupId),
    /// The billing group has no room for one more.
    GroupFull(BillingGroupId),
    /// The rental ended, and only an active one can have that done to it.
    RentalNotActive(RentalStatus),
    /// The rental was cancelled, or ended otherwise, so it cannot be cancelled.
    AlreadyEnded(RentalStatus),
    /// The contract cannot be made longer by so much.
    InvalidExtension {
        /// By how many months it could be.
        most: u32,
    },
    /// The device was replaced as often as it can be.
    TooManyReplacements,
    /// No customer of that id in this space.
    NoSuchHolder(CustomerId),
    /// The order is another customer's.
    OrderOfOtherCustomer,
    /// The variant cannot be rented for so many months.
    NoPriceFor(u32),
    /// No asset of that SKU is to be had.
    NoneAvailable(Sku),
    /// Something would have happened before the contract began, or has not happened yet.
    OutsideContract,
    /// A group cannot bill on that day of the month.
    InvalidBillingDay(u8),
    /// The group has no room for so many rentals.
    TooManyInGroup,
    /// No billing group of that id in this space.
    NoSuchBillingGroup(BillingGroupId),
    /// No payment of that id in this space.
    NoSuchRentalPayment(RentalPaymentId),
    /// The payment was paid.
    AlreadyPaid,
    /// The payment was cancelled, so it cannot be cancelled again.
    AlreadyCancelled,
    /// The payment was cancelled, so it cannot be paid.
    PaymentCancelled,
    /// Somebody is collecting the payment.
    PaymentProcessing,
}
