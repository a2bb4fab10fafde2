//! Objects: records of the kinds that have no table of their own. Each is on some lists, in the order of creation: those
//! that an API shows, and those that find it by a fact.

use super::term::Fnv;
use super::time::Time;
use super::words::words;

words! {
    /// What an object is.
    pub enum ObjectKind {
        /// A coupon.
        Coupon = "coupon",
        /// A coupon that was deleted, for those that refer to it.
        RetiredCoupon = "retired_coupon",
        /// A promotion code.
        PromotionCode = "promotion_code",
        /// A movement of a customer's cash balance.
        CashTransaction = "cash_transaction",
        /// A payment method that no customer holds.
        PaymentMethod = "payment_method",
        /// A source that no customer holds.
        Source = "source",
        /// A token.
        Token = "token",
        /// A setup intent.
        SetupIntent = "setup_intent",
        /// An attempt of a setup intent.
        SetupAttempt = "setup_attempt",
        /// A webhook endpoint.
        WebhookEndpoint = "webhook_endpoint",
        /// An address of a customer.
        CustomerAddress = "customer_address",
        /// A business of a customer.
        Business = "business",
        /// A product of a catalogue.
        Product = "product",
        /// A variant of a product.
        Variant = "variant",
        /// An asset.
        Asset = "asset",
        /// An order.
        Order = "order",
        /// What a customer's orders and rentals add up to.
        RentalBook = "rental_book",
        /// A rental.
        Rental = "rental",
        /// A payment for a rental or a billing group.
        RentalPayment = "rental_payment",
        /// A billing group.
        BillingGroup = "billing_group",
    }
}

/// A list of objects of one kind: the digest of what is on it. It is stored, so it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List(pub i64);

impl List {
    /// All objects of a kind.
    pub fn all(kind: ObjectKind) -> List {
        List::by(kind, "", "")
    }

    /// The objects of a kind of which `fact` is `value`, as the customer that they belong to. Whoever finds by a fact
    /// compares it with the object's own, so that equal digests of different facts do no harm.
    pub fn by(kind: ObjectKind, fact: &str, value: &str) -> List {
        let mut digest = Fnv::new();
        digest.exact(kind.as_str()).letter(0).exact(fact).letter(0).exact(value);
        List(digest.value())
    }
}

/// An object as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id, which no other object of its kind has in the account.
    pub id: String,
    /// When it was made; never changes.
    pub created: Time,
    /// Its facts, as `store::record` writes them.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::{List, ObjectKind};

    #[test]
    fn lists_never_change_because_they_are_stored() {
        assert_eq!(
            List::by(ObjectKind::Coupon, "customer", "cus_1").0,
            List::by(ObjectKind::Coupon, "customer", "cus_1").0
        );
        assert_ne!(
            List::by(ObjectKind::Coupon, "customer", "cus_1"),
            List::by(ObjectKind::Coupon, "customer", "cus_2")
        );
        assert_ne!(List::by(ObjectKind::Coupon, "a", "b"), List::by(ObjectKind::Coupon, "ab", ""));
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        assert!(ObjectKind::ALL.iter().copied().all(|kind| ObjectKind::named(kind.as_str()) == Some(kind)));
        assert_eq!(ObjectKind::named("customer"), None);
    }
}
