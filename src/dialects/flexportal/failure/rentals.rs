//! Words for what is wrong with orders and rentals.

use super::Said;
use crate::domain::billing_group::MAX_RENTALS;
use crate::domain::rental_problem::RentalProblem;

/// What a rule about orders and rentals says.
pub(super) fn said(problem: &RentalProblem) -> Said {
    match problem {
        RentalProblem::UnknownCursor(_) => {
            Said::new(400, "VALIDATION_ERROR", "There is no item of this id that the list could go on behind.")
                .about("startAfter", "custom")
        }
        RentalProblem::NoSuchOrder(id) => Said::new(404, "NOT_FOUND", format!("There is no order {id}.")),
        RentalProblem::NoSuchVariant { line, sku } => {
            Said::new(404, "VARIANT_NOT_FOUND", format!("There is no variant {sku}."))
                .about(format!("items.{line}.sku"), "not_found")
        }
        RentalProblem::VariantInactive { line, sku } => {
            Said::new(400, "VARIANT_INACTIVE", format!("The variant {sku} cannot be ordered any more."))
                .about(format!("items.{line}.sku"), "custom")
        }
        RentalProblem::InvalidContractLength { line, sku, months } => {
            let message = match months {
                Some(months) => format!("The variant {sku} has no price for a contract of {months} months."),
                None => format!("The variant {sku} has no price."),
            };
            Said::new(400, "INVALID_CONTRACT_LENGTH", message).about(format!("items.{line}.contractLength"), "custom")
        }
        RentalProblem::OrderTooLarge => {
            Said::new(400, "VALIDATION_ERROR", "The order costs more than can be counted.").about("items", "too_big")
        }
        RentalProblem::CustomerInactive => {
            Said::new(409, "CUSTOMER_INACTIVE", "The customer with this e-mail address was deactivated.")
                .about("customer.email", "custom")
        }
        RentalProblem::CustomerHasActiveRentals => {
            let message = "The customer has active subscriptions: end them before you deactivate it.";
            Said::new(409, "CUSTOMER_HAS_ACTIVE_SUBSCRIPTIONS", message)
        }
        RentalProblem::CustomerHasOpenOrders => {
            let message = "The customer has pending orders: cancel them before you deactivate it.";
            Said::new(409, "CUSTOMER_HAS_PENDING_ORDERS", message)
        }
        RentalProblem::OrderNotCancellable(status) => {
            let message =
                format!("The order is {}: only one of which nothing is rented can be cancelled.", status.as_str());
            Said::new(400, "ORDER_NOT_CANCELLABLE", message)
        }
        RentalProblem::OrderCancelledAlready => Said::new(400, "ALREADY_CANCELLED", "The order was cancelled before."),
        RentalProblem::OrderNotConfirmable(status) => {
            let message = format!("The order is {}: only a pending one can be confirmed.", status.as_str());
            Said::new(400, "INVALID_STATUS", message)
        }
        RentalProblem::OrderNotConfirmed(status) => Said::new(
            400,
            "ORDER_NOT_CONFIRMED",
            format!("Nothing can be rented of an order that is {}.", status.as_str()),
        ),
        RentalProblem::ItemFullyFulfilled => {
            Said::new(400, "ITEM_FULLY_FULFILLED", "Every unit that the order asks for is rented.")
        }
        RentalProblem::SkuMismatch => Said::new(400, "SKU_MISMATCH", "The order does not ask for this SKU."),
        RentalProblem::NoSuchRental(id) => Said::new(404, "NOT_FOUND", format!("There is no subscription {id}.")),
        RentalProblem::UnknownRental { place, id } => {
            Said::new(404, "SUBSCRIPTION_NOT_FOUND", format!("There is no subscription {id}."))
                .about(format!("rentalIds.{place}"), "not_found")
        }
        RentalProblem::RentalOfOtherCustomer { place, id } => {
            let message = format!("The subscription {id} is another customer's.");
            let path = place.map_or_else(|| "rentalIds".to_owned(), |place| format!("rentalIds.{place}"));
            Said::new(400, "SUBSCRIPTION_DIFFERENT_CUSTOMER", message).about(path, "custom")
        }
        RentalProblem::MemberNotActive { place, status } => {
            let message = format!("The subscription is {}: only an active one can join a group.", status.as_str());
            Said::new(400, "SUBSCRIPTION_NOT_ACTIVE", message).about(format!("rentalIds.{place}"), "custom")
        }
        RentalProblem::GroupOfOtherCustomer(id) => {
            let message = format!("The billing group {id} is another customer's.");
            Said::new(400, "SUBSCRIPTION_DIFFERENT_CUSTOMER", message).about("billingGroupId", "custom")
        }
        RentalProblem::GroupFull(id) => {
            let message =
                format!("The billing group {id} has {MAX_RENTALS} subscriptions, and no room for another one.");
            Said::new(400, "VALIDATION_ERROR", message).about("billingGroupId", "too_big")
        }
        RentalProblem::RentalNotActive(status) => {
            let message = format!("The subscription is {}: only an active one can have that.", status.as_str());
            Said::new(400, "SUBSCRIPTION_NOT_ACTIVE", message)
        }
        RentalProblem::AlreadyEnded(status) => {
            Said::new(400, "ALREADY_ENDED", format!("The subscription is {} already.", status.as_str()))
        }
        RentalProblem::InvalidExtension { most } => {
            let message = format!("The contract can be extended by at most {most} months.");
            Said::new(400, "INVALID_EXTENSION_MONTHS", message).about("extensionMonths", "too_big")
        }
        RentalProblem::TooManyReplacements => {
            Said::new(400, "VALIDATION_ERROR", "The device was replaced as often as it can be.")
        }
        RentalProblem::NoSuchHolder(id) => Said::new(404, "NOT_FOUND", format!("There is no customer {id}.")),
        RentalProblem::OrderOfOtherCustomer => {
            Said::new(400, "VALIDATION_ERROR", "The order is another customer's.").about("customerId", "custom")
        }
        RentalProblem::NoPriceFor(months) => {
            let message = format!("The variant has no price for a contract of {months} months.");
            Said::new(400, "INVALID_CONTRACT_LENGTH", message).about("contractLength", "custom")
        }
        RentalProblem::NoneAvailable(sku) => {
            Said::new(400, "ASSET_NOT_AVAILABLE", format!("No asset of {sku} is available."))
        }
        RentalProblem::OutsideContract => {
            let message = "It would be before the contract began, or has not come yet.";
            Said::new(400, "VALIDATION_ERROR", message).about("effectiveDate", "custom")
        }
        RentalProblem::InvalidBillingDay(day) => {
            let message = format!("A group cannot bill on day {day}: only from 1 to 28.");
            Said::new(400, "INVALID_BILLING_DAY", message).about("billingDay", "custom")
        }
        RentalProblem::TooManyInGroup => {
            let message = "The group has no room for so many subscriptions.";
            Said::new(400, "VALIDATION_ERROR", message).about("rentalIds", "too_big")
        }
        RentalProblem::NoSuchBillingGroup(id) => {
            Said::new(404, "NOT_FOUND", format!("There is no billing group {id}."))
        }
        RentalProblem::NoSuchRentalPayment(id) => Said::new(404, "NOT_FOUND", format!("There is no payment {id}.")),
        RentalProblem::AlreadyPaid => Said::new(400, "ALREADY_PAID", "The payment was paid before."),
        RentalProblem::AlreadyCancelled => Said::new(400, "ALREADY_CANCELLED", "The payment was cancelled before."),
        RentalProblem::PaymentCancelled => Said::new(400, "PAYMENT_CANCELLED", "The payment was cancelled."),
        RentalProblem::PaymentProcessing => Said::new(400, "PAYMENT_PROCESSING", "The payment is being collected."),
    }
}

/// The code of something that is not there where a body refers to it.
pub(super) fn referred(problem: &RentalProblem) -> Option<&'static str> {
    match problem {
        RentalProblem::NoSuchOrder(_) => Some("ORDER_NOT_FOUND"),
        RentalProblem::NoSuchRental(_) => Some("SUBSCRIPTION_NOT_FOUND"),
        RentalProblem::NoSuchHolder(_) => Some("CUSTOMER_NOT_FOUND"),
        _ => None,
    }
}
