//! The facts of an object, whatever its kind: where it is kept and on which lists it is follow from them.

use self::promotion_code_lists::{of_code, of_coupon, of_customer, on, on_for};
use super::asset::Asset;
use super::billing_group::BillingGroup;
use super::business::Business;
use super::cash::CashTransaction;
use super::coupon::Coupon;
use super::customer_address::CustomerAddress;
use super::ids::CustomerId;
use super::object::{List, ObjectKind};
use super::order::Order;
use super::payment_method::LoosePaymentMethod;
use super::product::{Product, Variant};
use super::promotion_code::PromotionCode;
use super::rental::Rental;
use super::rental_book::RentalBook;
use super::rental_payment::RentalPayment;
use super::setup_intent::{SetupAttempt, SetupIntent};
use super::source::LooseSource;
use super::time::Time;
use super::token::Token;
use super::webhook::WebhookEndpoint;

/// Makes the enumeration, and the way from each kind of facts to it and back.
macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident($facts:ty),)+) => {
        /// The facts of an object.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Facts {
            $($(#[$doc])* $name(Box<$facts>),)+
        }

        $(
            impl From<$facts> for Facts {
                fn from(facts: $facts) -> Facts {
                    Facts::$name(Box::new(facts))
                }
            }

            impl TryFrom<Facts> for $facts {
                type Error = OtherKind;

                fn try_from(facts: Facts) -> Result<$facts, OtherKind> {
                    if let Facts::$name(facts) = facts { Ok(*facts) } else { Err(OtherKind) }
                }
            }
        )+
    };
}

/// The facts are of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherKind;

facts! {
    /// A coupon, living or deleted.
    Coupon(Coupon),
    /// A promotion code.
    PromotionCode(PromotionCode),
    /// A movement of a customer's cash balance.
    CashTransaction(CashTransaction),
    /// A payment method that no customer holds.
    PaymentMethod(LoosePaymentMethod),
    /// A source that no customer holds.
    Source(LooseSource),
    /// A token.
    Token(Token),
    /// A setup intent.
    SetupIntent(SetupIntent),
    /// An attempt of a setup intent.
    SetupAttempt(SetupAttempt),
    /// A webhook endpoint.
    WebhookEndpoint(WebhookEndpoint),
    /// An address of a customer.
    CustomerAddress(CustomerAddress),
    /// A business of a customer.
    Business(Business),
    /// A product of a catalogue.
    Product(Product),
    /// A variant of a product.
    Variant(Variant),
    /// An asset.
    Asset(Asset),
    /// An order.
    Order(Order),
    /// What a customer's orders and rentals add up to.
    RentalBook(RentalBook),
    /// A rental.
    Rental(Rental),
    /// A payment for a rental or a billing group.
    RentalPayment(RentalPayment),
    /// A billing group.
    BillingGroup(BillingGroup),
}

/// The fact by which cash transactions are listed. It is stored, so it never changes.
pub mod cash_transaction_lists {
    use crate::domain::ids::CustomerId;
    use crate::domain::object::{List, ObjectKind};

    /// Those of a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(ObjectKind::CashTransaction, "customer", customer.as_str())
    }
}

/// The facts by which promotion codes are listed. They are stored, so they never change.
pub mod promotion_code_lists {
    use crate::domain::ids::{CouponId, CustomerId};
    use crate::domain::object::{List, ObjectKind};
    use crate::domain::promotion_code::Code;

    const KIND: ObjectKind = ObjectKind::PromotionCode;

    /// Those of a code.
    pub fn of_code(code: &Code) -> List {
        List::by(KIND, "code", &code.folded())
    }

    /// Those of a coupon, and of others that had its id.
    pub fn of_coupon(coupon: &CouponId) -> List {
        List::by(KIND, "coupon", coupon.as_str())
    }

    /// Those for a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(KIND, "customer", customer.as_str())
    }

    /// Those of a code that are switched on.
    pub fn on(code: &Code) -> List {
        List::by(KIND, "on", &code.folded())
    }

    /// Those of a code that are switched on for one customer; `None` for everybody.
    pub fn on_for(code: &Code, customer: Option<&CustomerId>) -> List {
        // A code has no colon.
        let customer = customer.map_or("", CustomerId::as_str);
        List::by(KIND, "on for", &format!("{}:{customer}", code.folded()))
    }
}

/// The facts by which setup intents and their attempts are listed. They are stored, so they never change.
pub mod setup_lists {
    use crate::domain::ids::{CustomerId, InstrumentId, SetupIntentId};
    use crate::domain::object::{List, ObjectKind};

    const KIND: ObjectKind = ObjectKind::SetupIntent;

    /// Intents for a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(KIND, "customer", customer.as_str())
    }

    /// Intents of a payment method.
    pub fn of_method(method: &InstrumentId) -> List {
        List::by(KIND, "payment_method", method.as_str())
    }

    /// Attempts of an intent.
    pub fn attempts(intent: &SetupIntentId) -> List {
        List::by(ObjectKind::SetupAttempt, "setup_intent", intent.as_str())
    }
}

/// The facts by which products, variants and assets are listed. They are stored, so they never change.
pub mod catalogue_lists {
    use crate::domain::ids::{CustomerId, ProductId, RentalId, Sku, VariantId};
    use crate::domain::object::{List, ObjectKind};

    /// The product that is called so.
    pub fn product_of_sku(sku: &Sku) -> List {
        List::by(ObjectKind::Product, "sku", sku.as_str())
    }

    /// The variants of a product.
    pub fn of_product(product: &ProductId) -> List {
        List::by(ObjectKind::Variant, "product", product.as_str())
    }

    /// The variant of an id.
    pub fn variant_of_id(id: &VariantId) -> List {
        List::by(ObjectKind::Variant, "id", id.as_str())
    }

    /// The assets of a variant.
    pub fn assets_of_sku(sku: &Sku) -> List {
        List::by(ObjectKind::Asset, "sku", sku.as_str())
    }

    /// The assets that a customer has.
    pub fn assets_of_customer(customer: &CustomerId) -> List {
        List::by(ObjectKind::Asset, "customer", customer.as_str())
    }

    /// The assets of a rental.
    pub fn assets_of_rental(rental: &RentalId) -> List {
        List::by(ObjectKind::Asset, "rental", rental.as_str())
    }
}

/// The fact by which addresses of customers are listed. It is stored, so it never changes.
pub mod customer_address_lists {
    use crate::domain::ids::CustomerId;
    use crate::domain::object::{List, ObjectKind};

    /// Those of a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(ObjectKind::CustomerAddress, "customer", customer.as_str())
    }
}

/// The fact by which businesses of customers are listed. It is stored, so it never changes.
pub mod business_lists {
    use crate::domain::ids::CustomerId;
    use crate::domain::object::{List, ObjectKind};

    /// Those of a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(ObjectKind::Business, "customer", customer.as_str())
    }
}

/// The fact by which orders are listed. It is stored, so it never changes.
pub mod order_lists {
    use crate::domain::ids::{CustomerId, ProductId, VariantId};
    use crate::domain::object::{List, ObjectKind};

    /// Those of a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(ObjectKind::Order, "customer", customer.as_str())
    }

    /// Those of which units of the product are still to be rented, or of other lines beside it.
    pub fn open_of_product(product: &ProductId) -> List {
        List::by(ObjectKind::Order, "open of product", product.as_str())
    }

    /// The same for a variant.
    pub fn open_of_variant(variant: &VariantId) -> List {
        List::by(ObjectKind::Order, "open of variant", variant.as_str())
    }
}

/// The facts by which rentals, their payments and billing groups are listed. They are stored, so they never change.
pub mod rental_lists {
    use crate::domain::ids::{BillingGroupId, CustomerId, OrderId, RentalId, SerialNumber};
    use crate::domain::object::{List, ObjectKind};
    use crate::domain::rental::Rental;
    use crate::domain::rental_payment::{Billed, RentalPayment};

    /// Rentals of a customer.
    pub fn of_customer(customer: &CustomerId) -> List {
        List::by(ObjectKind::Rental, "customer", customer.as_str())
    }

    /// Rentals that fulfil an order.
    pub fn of_order(order: &OrderId) -> List {
        List::by(ObjectKind::Rental, "order", order.as_str())
    }

    /// Rentals of a device, by its serial number.
    pub fn of_serial(serial: &SerialNumber) -> List {
        List::by(ObjectKind::Rental, "serial", serial.as_str())
    }

    /// Payments by a customer.
    pub fn payments_by(customer: &CustomerId) -> List {
        List::by(ObjectKind::RentalPayment, "customer", customer.as_str())
    }

    /// Payments of a rental.
    pub fn payments_of_rental(rental: &RentalId) -> List {
        List::by(ObjectKind::RentalPayment, "rental", rental.as_str())
    }

    /// Payments of a billing group.
    pub fn payments_of_group(group: &BillingGroupId) -> List {
        List::by(ObjectKind::RentalPayment, "group", group.as_str())
    }

    /// Payments of a rental that are still to be paid.
    pub fn open_of_rental(rental: &RentalId) -> List {
        List::by(ObjectKind::RentalPayment, "open rental", rental.as_str())
    }

    /// Payments of a billing group that are still to be paid.
    pub fn open_of_group(group: &BillingGroupId) -> List {
        List::by(ObjectKind::RentalPayment, "open group", group.as_str())
    }

    /// Billing groups of a customer.
    pub fn groups_of(customer: &CustomerId) -> List {
        List::by(ObjectKind::BillingGroup, "customer", customer.as_str())
    }

    pub(super) fn rental(rental: &Rental) -> Vec<List> {
        vec![
            List::all(ObjectKind::Rental),
            of_customer(&rental.customer),
            of_order(&rental.order),
            of_serial(&rental.serial),
        ]
    }

    pub(super) fn payment(payment: &RentalPayment) -> Vec<List> {
        let (its, open) = match &payment.of {
            Billed::Rental(rental) => (payments_of_rental(rental), open_of_rental(rental)),
            Billed::Group(group) => (payments_of_group(group), open_of_group(group)),
        };
        let mut lists = vec![List::all(ObjectKind::RentalPayment), payments_by(&payment.customer), its];
        lists.extend(payment.status.is_open().then_some(open));
        lists
    }
}

impl Facts {
    /// What it is. A deleted coupon is kept apart, because its id is free for another one.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Facts::Coupon(coupon) if coupon.deleted.is_some() => ObjectKind::RetiredCoupon,
            Facts::Coupon(_) => ObjectKind::Coupon,
            Facts::PromotionCode(_) => ObjectKind::PromotionCode,
            Facts::CashTransaction(_) => ObjectKind::CashTransaction,
            Facts::PaymentMethod(_) => ObjectKind::PaymentMethod,
            Facts::Source(_) => ObjectKind::Source,
            Facts::Token(_) => ObjectKind::Token,
            Facts::SetupIntent(_) => ObjectKind::SetupIntent,
            Facts::SetupAttempt(_) => ObjectKind::SetupAttempt,
            Facts::WebhookEndpoint(_) => ObjectKind::WebhookEndpoint,
            Facts::CustomerAddress(_) => ObjectKind::CustomerAddress,
            Facts::Business(_) => ObjectKind::Business,
            Facts::Product(_) => ObjectKind::Product,
            Facts::Variant(_) => ObjectKind::Variant,
            Facts::Asset(_) => ObjectKind::Asset,
            Facts::Order(_) => ObjectKind::Order,
            Facts::RentalBook(_) => ObjectKind::RentalBook,
            Facts::Rental(_) => ObjectKind::Rental,
            Facts::RentalPayment(_) => ObjectKind::RentalPayment,
            Facts::BillingGroup(_) => ObjectKind::BillingGroup,
        }
    }

    /// What it is kept by, which no other object of its kind has in the account.
    pub fn key(&self) -> &str {
        match self {
            Facts::Coupon(coupon) if coupon.deleted.is_some() => coupon.serial.as_str(),
            Facts::Coupon(_)
            | Facts::PromotionCode(_)
            | Facts::CashTransaction(_)
            | Facts::PaymentMethod(_)
            | Facts::Source(_)
            | Facts::Token(_)
            | Facts::SetupIntent(_)
            | Facts::SetupAttempt(_)
            | Facts::WebhookEndpoint(_)
            | Facts::Product(_)
            | Facts::Asset(_)
            | Facts::Order(_)
            | Facts::RentalBook(_)
            | Facts::Rental(_)
            | Facts::RentalPayment(_)
            | Facts::BillingGroup(_)
            | Facts::CustomerAddress(_)
            | Facts::Business(_) => self.id(),
            Facts::Variant(variant) => variant.sku.as_str(),
        }
    }

    /// The id by which callers know it.
    pub fn id(&self) -> &str {
        match self {
            Facts::Coupon(coupon) => coupon.id.as_str(),
            Facts::PromotionCode(code) => code.id.as_str(),
            Facts::CashTransaction(transaction) => transaction.id.as_str(),
            Facts::PaymentMethod(loose) => loose.method.id.as_str(),
            Facts::Source(loose) => loose.source.id.as_str(),
            Facts::Token(token) => token.id.as_str(),
            Facts::SetupIntent(intent) => intent.id.as_str(),
            Facts::SetupAttempt(attempt) => attempt.id.as_str(),
            Facts::WebhookEndpoint(endpoint) => endpoint.id.as_str(),
            Facts::CustomerAddress(address) => address.id.as_str(),
            Facts::Business(business) => business.id.as_str(),
            Facts::Product(product) => product.id.as_str(),
            Facts::Variant(variant) => variant.id.as_str(),
            Facts::Asset(asset) => asset.serial.as_str(),
            Facts::Order(order) => order.id.as_str(),
            Facts::RentalBook(book) => book.customer.as_str(),
            Facts::Rental(rental) => rental.id.as_str(),
            Facts::RentalPayment(payment) => payment.id.as_str(),
            Facts::BillingGroup(group) => group.id.as_str(),
        }
    }

    /// The customer that it is about, if it is about one.
    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Facts::PromotionCode(code) => code.customer.as_ref(),
            Facts::CashTransaction(transaction) => Some(&transaction.customer),
            Facts::SetupIntent(intent) => intent.customer.as_ref(),
            Facts::SetupAttempt(attempt) => attempt.customer.as_ref(),
            Facts::Asset(asset) => asset.customer.as_ref(),
            Facts::Order(order) => Some(&order.customer.id),
            Facts::CustomerAddress(address) => Some(&address.customer),
            Facts::Business(business) => Some(&business.customer),
            Facts::RentalBook(book) => Some(&book.customer),
            Facts::Rental(rental) => Some(&rental.customer),
            Facts::RentalPayment(payment) => Some(&payment.customer),
            Facts::BillingGroup(group) => Some(&group.customer),
            Facts::Coupon(_)
            | Facts::PaymentMethod(_)
            | Facts::Source(_)
            | Facts::Token(_)
            | Facts::WebhookEndpoint(_)
            | Facts::Product(_)
            | Facts::Variant(_) => None,
        }
    }

    /// When it was made.
    pub fn created(&self) -> Time {
        match self {
            Facts::Coupon(coupon) => coupon.created,
            Facts::PromotionCode(code) => code.created,
            Facts::CashTransaction(transaction) => transaction.created,
            Facts::PaymentMethod(loose) => loose.method.created,
            Facts::Source(loose) => loose.source.created,
            Facts::Token(token) => token.created,
            Facts::SetupIntent(intent) => intent.created,
            Facts::SetupAttempt(attempt) => attempt.created,
            Facts::WebhookEndpoint(endpoint) => endpoint.created,
            Facts::CustomerAddress(address) => address.created,
            Facts::Business(business) => business.created,
            Facts::Product(product) => product.created,
            Facts::Variant(variant) => variant.created,
            Facts::Asset(asset) => asset.created,
            Facts::Order(order) => order.created,
            Facts::RentalBook(book) => book.created,
            Facts::Rental(rental) => rental.created,
            Facts::RentalPayment(payment) => payment.created,
            Facts::BillingGroup(group) => group.created,
        }
    }

    /// The lists that it is on.
    pub fn lists(&self) -> Vec<List> {
        match self {
            Facts::Coupon(coupon) if coupon.deleted.is_some() => Vec::new(),
            Facts::Coupon(_) => vec![List::all(ObjectKind::Coupon)],
            Facts::PromotionCode(code) => {
                let PromotionCode { code: word, coupon, customer, switched_on, .. } = &**code;
                let mut lists = vec![List::all(ObjectKind::PromotionCode), of_code(word), of_coupon(coupon)];
                lists.extend(customer.as_ref().map(of_customer));
                if *switched_on {
                    lists.extend([on(word), on_for(word, customer.as_ref())]);
                }
                lists
            }
            Facts::CashTransaction(transaction) => vec![cash_transaction_lists::of_customer(&transaction.customer)],
            // What nobody holds is found by its id alone.
            Facts::PaymentMethod(_) | Facts::Source(_) | Facts::Token(_) => Vec::new(),
            Facts::SetupIntent(intent) => {
                let mut lists = vec![List::all(ObjectKind::SetupIntent)];
                lists.extend(intent.customer.as_ref().map(setup_lists::of_customer));
                lists.extend(intent.method.as_ref().map(setup_lists::of_method));
                lists
            }
            Facts::SetupAttempt(attempt) => vec![setup_lists::attempts(&attempt.intent)],
            Facts::WebhookEndpoint(_) => vec![List::all(ObjectKind::WebhookEndpoint)],
            Facts::CustomerAddress(address) => vec![customer_address_lists::of_customer(&address.customer)],
            Facts::Business(business) => vec![business_lists::of_customer(&business.customer)],
            Facts::Product(product) => {
                vec![List::all(ObjectKind::Product), catalogue_lists::product_of_sku(&product.sku)]
            }
            Facts::Variant(variant) => vec![
                List::all(ObjectKind::Variant),
                catalogue_lists::of_product(&variant.product),
                catalogue_lists::variant_of_id(&variant.id),
            ],
            Facts::Asset(asset) => {
                let mut lists = vec![List::all(ObjectKind::Asset), catalogue_lists::assets_of_sku(&asset.sku)];
                lists.extend(asset.customer.as_ref().map(catalogue_lists::assets_of_customer));
                lists.extend(asset.rental.as_ref().map(catalogue_lists::assets_of_rental));
                lists
            }
            Facts::Order(order) => {
                let mut lists = vec![List::all(ObjectKind::Order), order_lists::of_customer(&order.customer.id)];
                if order.status.is_open() {
                    lists.extend(order.items.iter().map(|item| order_lists::open_of_product(&item.product)));
                    lists.extend(order.items.iter().map(|item| order_lists::open_of_variant(&item.variant)));
                    // Several lines can be of one product.
                    lists.sort_unstable();
                    lists.dedup();
                }
                lists
            }
            // It is found by its customer.
            Facts::RentalBook(_) => Vec::new(),
            Facts::Rental(rental) => rental_lists::rental(rental),
            Facts::RentalPayment(payment) => rental_lists::payment(payment),
            Facts::BillingGroup(group) => {
                vec![List::all(ObjectKind::BillingGroup), rental_lists::groups_of(&group.customer)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::promotion_code_lists::{of_code, of_coupon, of_customer, on, on_for};
    use super::{
        business_lists, cash_transaction_lists, catalogue_lists, customer_address_lists, order_lists, setup_lists,
    };
    use crate::domain::ids::{CouponId, CustomerId, InstrumentId, ProductId, RentalId, SetupIntentId, Sku, VariantId};
    use crate::domain::object::{List, ObjectKind};
    use crate::domain::promotion_code::Code;

    #[test]
    fn lists_never_change_because_they_are_stored() {
        let (code, customer) = (Code::parse("Fall-20").unwrap(), CustomerId("cus_1".into()));
        let lists = [
            (List::all(ObjectKind::Coupon), -5_919_141_599_914_221_277),
            (List::all(ObjectKind::PromotionCode), 5_130_166_485_700_921_134),
            (of_code(&code), 591_104_594_977_611_757),
            (of_coupon(&CouponId("25OFF".into())), -4_658_258_726_340_971_526),
            (of_customer(&customer), -8_728_422_440_642_332_973),
            (on(&code), 8_684_766_696_599_144_217),
            (on_for(&code, None), -1_118_743_458_043_938_576),
            (on_for(&code, Some(&customer)), 216_050_940_672_763_917),
            (cash_transaction_lists::of_customer(&customer), 1_618_486_125_088_832_442),
            (setup_lists::of_customer(&customer), -5_388_863_065_545_119_206),
            (setup_lists::of_method(&InstrumentId("pm_1".into())), 5_091_765_562_543_734_040),
            (List::all(ObjectKind::Order), -2_357_883_310_277_739_121),
            (order_lists::of_customer(&customer), 5_176_652_714_780_395_336),
            (customer_address_lists::of_customer(&customer), -1_020_253_880_272_977_553),
            (business_lists::of_customer(&customer), 8_808_943_576_163_499_548),
            (setup_lists::attempts(&SetupIntentId("seti_1".into())), -4_538_216_354_797_502_237),
        ];
        assert_eq!(lists.map(|(list, _)| list.0), lists.map(|(_, digest)| digest));
    }

    #[test]
    fn lists_of_the_catalogue_never_change_either() {
        let (customer, sku) = (CustomerId("cus_1".into()), Sku("P".into()));
        let (product, variant) = (ProductId("prod_1".into()), VariantId("var_1".into()));
        let lists = [
            (List::all(ObjectKind::Product), 4_289_948_543_383_802_316),
            (List::all(ObjectKind::Variant), 9_094_157_698_249_328_214),
            (List::all(ObjectKind::Asset), 9_072_363_293_751_332_819),
            (catalogue_lists::product_of_sku(&sku), 705_987_181_906_808_373),
            (catalogue_lists::of_product(&product), -5_428_391_579_548_612_550),
            (catalogue_lists::variant_of_id(&variant), -9_219_655_326_713_232_274),
            (catalogue_lists::assets_of_sku(&sku), -6_061_365_011_008_760_842),
            (catalogue_lists::assets_of_customer(&customer), 7_672_781_915_501_450_156),
            (catalogue_lists::assets_of_rental(&RentalId("sub_1".into())), 8_912_586_907_631_707_897),
            (order_lists::open_of_product(&product), 2_879_840_850_637_251_170),
            (order_lists::open_of_variant(&variant), 2_359_984_355_471_219_674),
        ];
        assert_eq!(lists.map(|(list, _)| list.0), lists.map(|(_, digest)| digest));
    }
}
