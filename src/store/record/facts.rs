//! The body of an object, by its kind, and the shape of facts whose kind nothing else says.

use serde::{Deserialize, Serialize};

use super::asset::AssetShape;
use super::billing_group::BillingGroupShape;
use super::business::BusinessShape;
use super::cash::CashTransactionShape;
use super::coupon::CouponShape;
use super::customer_address::CustomerAddressShape;
use super::instrument::LooseShape;
use super::order::OrderShape;
use super::product::{ProductShape, VariantShape};
use super::promotion_code::PromotionCodeShape;
use super::rental::RentalShape;
use super::rental_book::RentalBookShape;
use super::rental_payment::RentalPaymentShape;
use super::setup_intent::{SetupAttemptShape, SetupIntentShape};
use super::source::LooseSourceShape;
use super::token::TokenShape;
use super::webhook::WebhookEndpointShape;
use super::{Unreadable, parse, shape_of, write};
use crate::domain::asset::Asset;
use crate::domain::billing_group::BillingGroup;
use crate::domain::business::Business;
use crate::domain::cash::CashTransaction;
use crate::domain::coupon::Coupon;
use crate::domain::customer_address::CustomerAddress;
use crate::domain::facts::Facts;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::order::Order;
use crate::domain::payment_method::LoosePaymentMethod;
use crate::domain::product::{Product, Variant};
use crate::domain::promotion_code::PromotionCode;
use crate::domain::rental::Rental;
use crate::domain::rental_book::RentalBook;
use crate::domain::rental_payment::RentalPayment;
use crate::domain::setup_intent::{SetupAttempt, SetupIntent};
use crate::domain::source::LooseSource;
use crate::domain::token::Token;
use crate::domain::webhook::WebhookEndpoint;

/// Makes the shape of facts whose kind nothing else says, tagged from outside, so that nothing is parsed twice.
macro_rules! shapes {
    ($($name:ident($shape:ident),)+) => {
        /// The facts with their kind.
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum FactsShape<'a> {
            $($name(Box<$shape<'a>>),)+
        }

        impl<'a> From<&'a Facts> for FactsShape<'a> {
            fn from(facts: &'a Facts) -> FactsShape<'a> {
                match facts {
                    $(Facts::$name(facts) => FactsShape::$name(Box::new((&**facts).into())),)+
                }
            }
        }

        impl TryFrom<FactsShape<'_>> for Facts {
            type Error = Unreadable;

            fn try_from(shape: FactsShape<'_>) -> Result<Facts, Unreadable> {
                Ok(match shape {
                    $(FactsShape::$name(shape) => Facts::$name(Box::new((*shape).try_into()?)),)+
                })
            }
        }

        fn body(facts: &Facts) -> String {
            match facts {
                $(Facts::$name(facts) => write(&$shape::from(&**facts)),)+
            }
        }
    };
}

shapes! {
    Coupon(CouponShape),
    PromotionCode(PromotionCodeShape),
    CashTransaction(CashTransactionShape),
    PaymentMethod(LooseShape),
    Source(LooseSourceShape),
    Token(TokenShape),
    SetupIntent(SetupIntentShape),
    SetupAttempt(SetupAttemptShape),
    WebhookEndpoint(WebhookEndpointShape),
    CustomerAddress(CustomerAddressShape),
    Business(BusinessShape),
    Product(ProductShape),
    Variant(VariantShape),
    Asset(AssetShape),
    Order(OrderShape),
    RentalBook(RentalBookShape),
    Rental(RentalShape),
    RentalPayment(RentalPaymentShape),
    BillingGroup(BillingGroupShape),
}

/// The object that keeps the facts.
pub fn write_facts(facts: &Facts) -> Object {
    Object { kind: facts.kind(), id: facts.key().to_owned(), created: facts.created(), body: body(facts) }
}

/// The facts that an object keeps.
pub fn read_facts(object: &Object) -> Result<Facts, Unreadable> {
    let Object { kind, id: _, created: _, body } = object;
    match shape_of(body)? {
        1 => Ok(match kind {
            ObjectKind::Coupon | ObjectKind::RetiredCoupon => {
                Coupon::try_from(parse::<CouponShape<'static>>(body)?)?.into()
            }
            ObjectKind::PromotionCode => PromotionCode::try_from(parse::<PromotionCodeShape<'static>>(body)?)?.into(),
            ObjectKind::CashTransaction => {
                CashTransaction::try_from(parse::<CashTransactionShape<'static>>(body)?)?.into()
            }
            ObjectKind::PaymentMethod => LoosePaymentMethod::try_from(parse::<LooseShape<'static>>(body)?)?.into(),
            ObjectKind::Source => LooseSource::try_from(parse::<LooseSourceShape<'static>>(body)?)?.into(),
            ObjectKind::Token => Token::try_from(parse::<TokenShape<'static>>(body)?)?.into(),
            ObjectKind::SetupIntent => SetupIntent::try_from(parse::<SetupIntentShape<'static>>(body)?)?.into(),
            ObjectKind::SetupAttempt => SetupAttempt::try_from(parse::<SetupAttemptShape<'static>>(body)?)?.into(),
            ObjectKind::CustomerAddress => {
                CustomerAddress::try_from(parse::<CustomerAddressShape<'static>>(body)?)?.into()
            }
            ObjectKind::Business => Business::try_from(parse::<BusinessShape<'static>>(body)?)?.into(),
            ObjectKind::WebhookEndpoint => {
                WebhookEndpoint::try_from(parse::<WebhookEndpointShape<'static>>(body)?)?.into()
            }
            ObjectKind::Product => Product::try_from(parse::<ProductShape<'static>>(body)?)?.into(),
            ObjectKind::Variant => Variant::try_from(parse::<VariantShape<'static>>(body)?)?.into(),
            ObjectKind::Asset => Asset::try_from(parse::<AssetShape<'static>>(body)?)?.into(),
            ObjectKind::Order => Order::try_from(parse::<OrderShape<'static>>(body)?)?.into(),
            ObjectKind::RentalBook => RentalBook::try_from(parse::<RentalBookShape<'static>>(body)?)?.into(),
            ObjectKind::Rental => Rental::try_from(parse::<RentalShape<'static>>(body)?)?.into(),
            ObjectKind::RentalPayment => RentalPayment::try_from(parse::<RentalPaymentShape<'static>>(body)?)?.into(),
            ObjectKind::BillingGroup => BillingGroup::try_from(parse::<BillingGroupShape<'static>>(body)?)?.into(),
        }),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::IpAddr;

    use proptest::collection::btree_map;
    use proptest::option;
    use proptest::prelude::*;

    use super::{read_facts, write_facts};
    use crate::domain::cash::{BankTransfer, CashReason, CashTransaction};
    use crate::domain::coupon::{Coupon, CouponDuration, Percent, Reduction};
    use crate::domain::facts::Facts;
    use crate::domain::ids::{CashTransactionId, CouponId, CouponSerial, CustomerId, PromotionCodeId, TokenId};
    use crate::domain::money::{Currency, SUPPORTED};
    use crate::domain::object::{Object, ObjectKind};
    use crate::domain::promotion_code::{Code, PromotionCode, Restrictions};
    use crate::domain::time::Time;
    use crate::domain::token::{Carried, Token};
    use crate::store::record::asset::tests::assets;
    use crate::store::record::billing_group::tests::billing_groups;
    use crate::store::record::business::tests::businesses;
    use crate::store::record::customer_address::tests::customer_addresses;
    use crate::store::record::instrument::tests::loose_payment_methods;
    use crate::store::record::instrument::tests::{bank_accounts, cards};
    use crate::store::record::order::tests::orders;
    use crate::store::record::product::tests::{products, variants};
    use crate::store::record::rental::tests::rentals;
    use crate::store::record::rental_book::tests::rental_books;
    use crate::store::record::rental_payment::tests::rental_payments;
    use crate::store::record::setup_intent::tests::{setup_attempts, setup_intents};
    use crate::store::record::source::tests::loose_sources;
    use crate::store::record::webhook::tests::webhook_endpoints;

    fn currencies() -> impl Strategy<Value = Currency> {
        (0..SUPPORTED.len()).prop_map(|place| Currency::parse(SUPPORTED[place]).expect("it is supported"))
    }

    fn times() -> impl Strategy<Value = Option<Time>> {
        option::of(any::<i64>().prop_map(Time))
    }

    /// Coupons of any facts.
    pub(crate) fn coupons() -> impl Strategy<Value = Coupon> {
        let percent = (1..=10_000i64).prop_map(|hundredths| Percent::of_hundredths(hundredths).expect("it fits"));
        let reduction = prop_oneof![
            (percent, option::of(currencies()))
                .prop_map(|(percent, currency)| Reduction::Percent { percent, currency }),
            (any::<i64>(), currencies()).prop_map(|(amount, currency)| Reduction::Amount { amount, currency }),
        ];
        let duration = prop_oneof![
            Just(CouponDuration::Once),
            Just(CouponDuration::Forever),
            any::<u32>().prop_map(CouponDuration::Months),
        ];
        let names = (any::<String>(), any::<String>(), option::of(any::<String>()));
        let moments = (any::<i64>(), times(), times());
        let counts = (option::of(any::<i64>()), any::<i64>());
        let free = btree_map(any::<String>(), any::<String>(), 0..4);
        (names, moments, reduction, duration, counts, free).prop_map(
            |(names, moments, reduction, duration, counts, metadata)| Coupon {
                id: CouponId(names.0),
                serial: CouponSerial(names.1),
                created: Time(moments.0),
                deleted: moments.1,
                name: names.2,
                reduction,
                duration,
                max_redemptions: counts.0,
                redeem_by: moments.2,
                times_redeemed: counts.1,
                metadata,
            },
        )
    }

    fn promotion_codes() -> impl Strategy<Value = PromotionCode> {
        let names = (any::<String>(), "[A-Za-z0-9-]{1,20}", any::<String>(), any::<String>());
        let bearer = (option::of(any::<String>()), any::<bool>());
        let counts = (option::of(any::<i64>()), any::<i64>());
        let restrictions = (any::<bool>(), option::of((any::<i64>(), currencies())))
            .prop_map(|(first_time_transaction, minimum)| Restrictions { first_time_transaction, minimum });
        let free = btree_map(any::<String>(), any::<String>(), 0..4);
        (names, any::<i64>(), bearer, times(), counts, restrictions, free).prop_map(
            |(names, created, bearer, expires_at, counts, restrictions, metadata)| PromotionCode {
                id: PromotionCodeId(names.0),
                created: Time(created),
                code: Code::parse(&names.1).expect("it fits"),
                coupon: CouponId(names.2),
                coupon_serial: CouponSerial(names.3),
                customer: bearer.0.map(CustomerId),
                switched_on: bearer.1,
                expires_at,
                max_redemptions: counts.0,
                times_redeemed: counts.1,
                restrictions,
                metadata,
            },
        )
    }

    fn cash_transactions() -> impl Strategy<Value = CashTransaction> {
        let by = (0..BankTransfer::ALL.len()).prop_map(|place| BankTransfer::ALL[place]);
        let reason = (by, option::of(any::<String>())).prop_map(|(by, reference)| CashReason::Funded { by, reference });
        let names = (any::<String>(), any::<String>());
        let amounts = (any::<i64>(), any::<i64>());
        (names, any::<i64>(), amounts, currencies(), reason).prop_map(|(names, created, amounts, currency, reason)| {
            CashTransaction {
                id: CashTransactionId(names.0),
                customer: CustomerId(names.1),
                created: Time(created),
                net_amount: amounts.0,
                currency,
                ending_balance: amounts.1,
                reason,
            }
        })
    }

    fn tokens() -> impl Strategy<Value = Token> {
        let carries = prop_oneof![
            cards().prop_map(|card| Carried::Card(Box::new(card))),
            bank_accounts().prop_map(|account| Carried::BankAccount(Box::new(account))),
            Just(Carried::Pii),
            Just(Carried::CvcUpdate),
        ];
        (any::<String>(), any::<i64>(), times(), option::of(any::<IpAddr>()), carries).prop_map(
            |(id, created, used, client_ip, carries)| Token {
                id: TokenId(id),
                created: Time(created),
                used,
                client_ip,
                carries,
            },
        )
    }

    /// Facts of any kind, also those that no request could give an object.
    pub(crate) fn facts() -> BoxedStrategy<Facts> {
        // Each on its own: all of them do not fit on the stack together.
        prop_oneof![
            coupons().prop_map(Facts::from).boxed(),
            promotion_codes().prop_map(Facts::from).boxed(),
            cash_transactions().prop_map(Facts::from).boxed(),
            loose_payment_methods().prop_map(Facts::from).boxed(),
            loose_sources().prop_map(Facts::from).boxed(),
            tokens().prop_map(Facts::from).boxed(),
            setup_intents().prop_map(Facts::from).boxed(),
            setup_attempts().prop_map(Facts::from).boxed(),
            webhook_endpoints().prop_map(Facts::from).boxed(),
            customer_addresses().prop_map(Facts::from).boxed(),
            businesses().prop_map(Facts::from).boxed(),
            products().prop_map(Facts::from).boxed(),
            variants().prop_map(Facts::from).boxed(),
            assets().prop_map(Facts::from).boxed(),
            orders().prop_map(Facts::from).boxed(),
            rental_books().prop_map(Facts::from).boxed(),
            rentals().prop_map(Facts::from).boxed(),
            rental_payments().prop_map(Facts::from).boxed(),
            billing_groups().prop_map(Facts::from).boxed(),
        ]
        .boxed()
    }

    proptest! {
        #[test]
        fn every_object_is_read_as_it_was_written(facts in facts()) {
            let object = write_facts(&facts);
            prop_assert_eq!((object.kind, object.id.as_str()), (facts.kind(), facts.key()));
            prop_assert_eq!(read_facts(&object), Ok(facts));
        }
    }

    fn coupon(body: &str) -> Object {
        Object { kind: ObjectKind::Coupon, id: "25OFF".into(), created: Time(5), body: body.into() }
    }

    #[test]
    fn a_coupon_of_few_facts_has_a_short_body() {
        let body = r#"{"v":1,"id":"25OFF","serial":"coupon_1","created":5,"percent":2550,"duration":{"months":3}}"#;
        assert_eq!(read_facts(&coupon(body)).map(|facts| write_facts(&facts)), Ok(coupon(body)));
    }

    #[test]
    fn a_cash_transaction_that_was_kept_is_read() {
        let body = r#"{"v":1,"id":"ccsbtxn_1","customer":"cus_1","created":5,"net_amount":7,"currency":"eur","ending_balance":9,"reason":{"funded":{"by":"eu"}}}"#;
        let kept =
            Object { kind: ObjectKind::CashTransaction, id: "ccsbtxn_1".into(), created: Time(5), body: body.into() };
        assert_eq!(read_facts(&kept).map(|facts| write_facts(&facts)), Ok(kept));
    }

    #[test]
    fn a_setup_intent_that_was_kept_is_read() {
        let method = r#"{"id":"pm_1","created":5,"kind":{"card":{"brand":"visa","last4":"4242","exp_month":1,"exp_year":2030,"funding":"credit","fingerprint":"f","reference":"visa"}}}"#;
        for (kind, id, rest) in [
            (
                ObjectKind::SetupIntent,
                "seti_1",
                format!(
                    r#""secret":"s","usage":"off_session","types":["card"],"three_d_secure":"automatic","state":"needs_method","last_error":{{"why":{{"declined":"generic"}},"payment_method":{method}}},"latest_attempt":"setatt_1""#
                ),
            ),
            (
                ObjectKind::SetupIntent,
                "seti_1",
                r#""secret":"s","customer":"cus_1","payment_method":"pm_1","usage":"on_session","types":["us_bank_account"],"automatic":"never","three_d_secure":"any","state":{"microdeposits":{"arrival":7}}"#
                    .to_owned(),
            ),
            (
                ObjectKind::SetupAttempt,
                "setatt_1",
                format!(
                    r#""setup_intent":"seti_1","payment_method":{method},"holder":"cus_1","usage":"off_session","status":"failed","error":"authentication","proof":"failed""#
                ),
            ),
        ] {
            let body = format!(r#"{{"v":1,"id":"{id}","created":5,{rest}}}"#);
            let kept = Object { kind, id: id.into(), created: Time(5), body };
            assert_eq!(read_facts(&kept).map(|facts| write_facts(&facts)), Ok(kept));
        }
    }

    #[test]
    fn a_coupon_that_takes_nothing_off_or_twice_is_refused() {
        for reduction in ["", r#""percent":0,"#, r#""percent":1,"amount":1,"currency":"usd","#, r#""amount":1,"#] {
            let body = format!(r#"{{"v":1,"id":"a","serial":"b","created":5,{reduction}"duration":"once"}}"#);
            assert!(read_facts(&coupon(&body)).is_err(), "{reduction}");
        }
    }
}
