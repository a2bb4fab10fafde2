//! Objects: records of the kinds that have no table of their own. Each is on some lists, in the order of creation: those
//! that an API shows, and those that find it by a fact.

use super::term::Fnv;
use super::time::Time;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A coupon.
    Coupon,
    /// A coupon that was deleted, for those that refer to it.
    RetiredCoupon,
    /// A promotion code.
    PromotionCode,
    /// A movement of a customer's cash balance.
    CashTransaction,
    /// A payment method that no customer holds.
    PaymentMethod,
    /// A token.
    Token,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [ObjectKind; 6] = [
        ObjectKind::Coupon,
        ObjectKind::RetiredCoupon,
        ObjectKind::PromotionCode,
        ObjectKind::CashTransaction,
        ObjectKind::PaymentMethod,
        ObjectKind::Token,
    ];

    /// The kind's name. It is stored, so it never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectKind::Coupon => "coupon",
            ObjectKind::RetiredCoupon => "retired_coupon",
            ObjectKind::PromotionCode => "promotion_code",
            ObjectKind::CashTransaction => "cash_transaction",
            ObjectKind::PaymentMethod => "payment_method",
            ObjectKind::Token => "token",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<ObjectKind> {
        ObjectKind::ALL.into_iter().find(|kind| kind.as_str() == name)
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
        assert!(ObjectKind::ALL.into_iter().all(|kind| ObjectKind::named(kind.as_str()) == Some(kind)));
        assert_eq!(ObjectKind::named("customer"), None);
    }
}
