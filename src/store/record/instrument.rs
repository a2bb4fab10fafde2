//! The shapes of instruments: cards, bank accounts, payment methods.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::address::AddressShape;
use super::customer::{borrowed_metadata, owned_metadata, read_currency};
use super::source::SourceShape;
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::address::Address;
use crate::domain::bank_account::{AccountType, BankAccount, BankFacts, BankStatus, HolderType};
use crate::domain::card::{Brand, Card, CardFacts, Check, Checks, Fingerprint, Funding, Reference};
use crate::domain::ids::InstrumentId;
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{
    AllowRedisplay, BillingDetails, LoosePaymentMethod, PaymentMethod, PaymentMethodKind,
};
use crate::domain::source::Source;
use crate::domain::time::Time;

/// Shape 1, tagged from outside, so that nothing is parsed twice.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InstrumentShape<'a> {
    Card(Box<CardShape<'a>>),
    BankAccount(Box<BankAccountShape<'a>>),
    PaymentMethod(Box<PaymentMethodShape<'a>>),
    Source(Box<SourceShape<'a>>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct CardShape<'a> {
    id: Text<'a>,
    created: i64,
    card: CardFactsShape<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    billing: BillingShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_redisplay: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BankAccountShape<'a> {
    id: Text<'a>,
    created: i64,
    account: BankFactsShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_type: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_type: Option<Text<'a>>,
    status: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    failed: u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PaymentMethodShape<'a> {
    id: Text<'a>,
    created: i64,
    kind: KindShape<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    billing: BillingShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_redisplay: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

/// Of a payment method that no customer holds.
#[derive(Serialize, Deserialize)]
pub(super) struct LooseShape<'a> {
    method: PaymentMethodShape<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    spent: bool,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BillingShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindShape<'a> {
    Card(CardFactsShape<'a>),
    UsBankAccount {
        account: BankFactsShape<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        holder_type: Option<Text<'a>>,
        account_type: Text<'a>,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct CardFactsShape<'a> {
    brand: Text<'a>,
    last4: Text<'a>,
    exp_month: u8,
    exp_year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Text<'a>>,
    funding: Text<'a>,
    fingerprint: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cvc_check: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line1_check: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code_check: Option<Text<'a>>,
    reference: Text<'a>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BankFactsShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    bank: Option<Text<'a>>,
    country: Text<'a>,
    currency: Text<'a>,
    last4: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_number: Option<Text<'a>>,
    fingerprint: Text<'a>,
    reference: Text<'a>,
}

impl<'a> From<&'a LoosePaymentMethod> for LooseShape<'a> {
    fn from(loose: &'a LoosePaymentMethod) -> LooseShape<'a> {
        let LoosePaymentMethod { method, spent } = loose;
        LooseShape { method: method.into(), spent: *spent }
    }
}

impl TryFrom<LooseShape<'_>> for LoosePaymentMethod {
    type Error = Unreadable;

    fn try_from(shape: LooseShape<'_>) -> Result<LoosePaymentMethod, Unreadable> {
        let LooseShape { method, spent } = shape;
        Ok(LoosePaymentMethod { method: method.try_into()?, spent })
    }
}

impl<'a> From<&'a BillingDetails> for BillingShape<'a> {
    fn from(billing: &'a BillingDetails) -> BillingShape<'a> {
        let BillingDetails { address, email, name, phone } = billing;
        BillingShape {
            address: (*address != Address::default()).then(|| address.into()),
            email: borrowed(email),
            name: borrowed(name),
            phone: borrowed(phone),
        }
    }
}

impl From<BillingShape<'_>> for BillingDetails {
    fn from(shape: BillingShape<'_>) -> BillingDetails {
        let BillingShape { address, email, name, phone } = shape;
        BillingDetails {
            address: address.map(Address::from).unwrap_or_default(),
            email: owned(email),
            name: owned(name),
            phone: owned(phone),
        }
    }
}

pub(super) fn read_allow_redisplay(allow: Option<Text<'_>>) -> Result<Option<AllowRedisplay>, Unreadable> {
    allow.map(|allow| word("allow_redisplay", &allow, AllowRedisplay::named)).transpose()
}

pub(super) fn said(word: &'static str) -> Text<'static> {
    Cow::Borrowed(word)
}

impl<'a> From<&'a Instrument> for InstrumentShape<'a> {
    fn from(instrument: &'a Instrument) -> InstrumentShape<'a> {
        match instrument {
            Instrument::Card(card) => InstrumentShape::Card(Box::new((&**card).into())),
            Instrument::BankAccount(account) => InstrumentShape::BankAccount(Box::new((&**account).into())),
            Instrument::PaymentMethod(method) => InstrumentShape::PaymentMethod(Box::new((&**method).into())),
            Instrument::Source(source) => InstrumentShape::Source(Box::new((&**source).into())),
        }
    }
}

impl TryFrom<InstrumentShape<'_>> for Instrument {
    type Error = Unreadable;

    fn try_from(shape: InstrumentShape<'_>) -> Result<Instrument, Unreadable> {
        Ok(match shape {
            InstrumentShape::Card(card) => Card::try_from(*card)?.into(),
            InstrumentShape::BankAccount(account) => BankAccount::try_from(*account)?.into(),
            InstrumentShape::PaymentMethod(method) => PaymentMethod::try_from(*method)?.into(),
            InstrumentShape::Source(source) => Source::try_from(*source)?.into(),
        })
    }
}

impl<'a> From<&'a Card> for CardShape<'a> {
    fn from(card: &'a Card) -> CardShape<'a> {
        let Card { id: InstrumentId(id), created, facts, billing, allow_redisplay, metadata } = card;
        CardShape {
            id: Cow::Borrowed(id),
            created: created.0,
            card: facts.into(),
            billing: billing.into(),
            allow_redisplay: allow_redisplay.map(|allow| said(allow.as_str())),
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<CardShape<'_>> for Card {
    type Error = Unreadable;

    fn try_from(shape: CardShape<'_>) -> Result<Card, Unreadable> {
        let CardShape { id, created, card, billing, allow_redisplay, metadata } = shape;
        Ok(Card {
            id: InstrumentId(id.into_owned()),
            created: Time(created),
            facts: card.try_into()?,
            billing: billing.into(),
            allow_redisplay: read_allow_redisplay(allow_redisplay)?,
            metadata: owned_metadata(metadata),
        })
    }
}

impl<'a> From<&'a BankAccount> for BankAccountShape<'a> {
    fn from(account: &'a BankAccount) -> BankAccountShape<'a> {
        let BankAccount {
            id: InstrumentId(id),
            created,
            facts,
            holder_name,
            holder_type,
            account_type,
            status,
            failed_verifications,
            metadata,
        } = account;
        BankAccountShape {
            id: Cow::Borrowed(id),
            created: created.0,
            account: facts.into(),
            holder: borrowed(holder_name),
            holder_type: holder_type.map(|kind| said(kind.as_str())),
            account_type: account_type.map(|kind| said(kind.as_str())),
            status: said(status.as_str()),
            failed: *failed_verifications,
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<BankAccountShape<'_>> for BankAccount {
    type Error = Unreadable;

    fn try_from(shape: BankAccountShape<'_>) -> Result<BankAccount, Unreadable> {
        let BankAccountShape { id, created, account, holder, holder_type, account_type, status, failed, metadata } =
            shape;
        Ok(BankAccount {
            id: InstrumentId(id.into_owned()),
            created: Time(created),
            facts: account.try_into()?,
            holder_name: owned(holder),
            holder_type: holder_type.map(|kind| word("holder_type", &kind, HolderType::named)).transpose()?,
            account_type: account_type.map(|kind| word("account_type", &kind, AccountType::named)).transpose()?,
            status: word("status", &status, BankStatus::named)?,
            failed_verifications: failed,
            metadata: owned_metadata(metadata),
        })
    }
}

impl<'a> From<&'a PaymentMethod> for PaymentMethodShape<'a> {
    fn from(method: &'a PaymentMethod) -> PaymentMethodShape<'a> {
        let PaymentMethod { id: InstrumentId(id), created, kind, billing, allow_redisplay, metadata } = method;
        PaymentMethodShape {
            id: Cow::Borrowed(id),
            created: created.0,
            kind: match kind {
                PaymentMethodKind::Card(facts) => KindShape::Card(facts.into()),
                PaymentMethodKind::UsBankAccount { facts, holder_type, account_type } => KindShape::UsBankAccount {
                    account: facts.into(),
                    holder_type: holder_type.map(|kind| said(kind.as_str())),
                    account_type: said(account_type.as_str()),
                },
            },
            billing: billing.into(),
            allow_redisplay: allow_redisplay.map(|allow| said(allow.as_str())),
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<PaymentMethodShape<'_>> for PaymentMethod {
    type Error = Unreadable;

    fn try_from(shape: PaymentMethodShape<'_>) -> Result<PaymentMethod, Unreadable> {
        let PaymentMethodShape { id, created, kind, billing, allow_redisplay, metadata } = shape;
        let kind = match kind {
            KindShape::Card(facts) => PaymentMethodKind::Card(facts.try_into()?),
            KindShape::UsBankAccount { account, holder_type, account_type } => PaymentMethodKind::UsBankAccount {
                facts: account.try_into()?,
                holder_type: holder_type.map(|kind| word("holder_type", &kind, HolderType::named)).transpose()?,
                account_type: word("account_type", &account_type, AccountType::named)?,
            },
        };
        Ok(PaymentMethod {
            id: InstrumentId(id.into_owned()),
            created: Time(created),
            kind,
            billing: billing.into(),
            allow_redisplay: read_allow_redisplay(allow_redisplay)?,
            metadata: owned_metadata(metadata),
        })
    }
}

impl<'a> From<&'a CardFacts> for CardFactsShape<'a> {
    fn from(facts: &'a CardFacts) -> CardFactsShape<'a> {
        let CardFacts {
            brand,
            last4,
            exp_month,
            exp_year,
            country,
            funding,
            fingerprint: Fingerprint(fingerprint),
            checks: Checks { cvc, line1, postal_code },
            reference: Reference(reference),
        } = facts;
        let check = |check: &Option<Check>| check.map(|check| said(check.as_str()));
        CardFactsShape {
            brand: said(brand.as_str()),
            last4: Cow::Borrowed(last4),
            exp_month: *exp_month,
            exp_year: *exp_year,
            country: borrowed(country),
            funding: said(funding.as_str()),
            fingerprint: Cow::Borrowed(fingerprint),
            cvc_check: check(cvc),
            line1_check: check(line1),
            postal_code_check: check(postal_code),
            reference: Cow::Borrowed(reference),
        }
    }
}

impl TryFrom<CardFactsShape<'_>> for CardFacts {
    type Error = Unreadable;

    fn try_from(shape: CardFactsShape<'_>) -> Result<CardFacts, Unreadable> {
        let CardFactsShape {
            brand,
            last4,
            exp_month,
            exp_year,
            country,
            funding,
            fingerprint,
            cvc_check,
            line1_check,
            postal_code_check,
            reference,
        } = shape;
        let check = |check: Option<Text<'_>>| check.map(|check| word("check", &check, Check::named)).transpose();
        Ok(CardFacts {
            brand: word("brand", &brand, Brand::named)?,
            last4: last4.into_owned(),
            exp_month,
            exp_year,
            country: owned(country),
            funding: word("funding", &funding, Funding::named)?,
            fingerprint: Fingerprint(fingerprint.into_owned()),
            checks: Checks {
                cvc: check(cvc_check)?,
                line1: check(line1_check)?,
                postal_code: check(postal_code_check)?,
            },
            reference: Reference(reference.into_owned()),
        })
    }
}

impl<'a> From<&'a BankFacts> for BankFactsShape<'a> {
    fn from(facts: &'a BankFacts) -> BankFactsShape<'a> {
        let BankFacts {
            bank_name,
            country,
            currency,
            last4,
            routing_number,
            fingerprint: Fingerprint(fingerprint),
            reference: Reference(reference),
        } = facts;
        BankFactsShape {
            bank: borrowed(bank_name),
            country: Cow::Borrowed(country),
            currency: Cow::Borrowed(currency.as_str()),
            last4: Cow::Borrowed(last4),
            routing_number: borrowed(routing_number),
            fingerprint: Cow::Borrowed(fingerprint),
            reference: Cow::Borrowed(reference),
        }
    }
}

impl TryFrom<BankFactsShape<'_>> for BankFacts {
    type Error = Unreadable;

    fn try_from(shape: BankFactsShape<'_>) -> Result<BankFacts, Unreadable> {
        let BankFactsShape { bank, country, currency, last4, routing_number, fingerprint, reference } = shape;
        Ok(BankFacts {
            bank_name: owned(bank),
            country: country.into_owned(),
            currency: read_currency(&currency)?,
            last4: last4.into_owned(),
            routing_number: owned(routing_number),
            fingerprint: Fingerprint(fingerprint.into_owned()),
            reference: Reference(reference.into_owned()),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::btree_map;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::InstrumentShape;
    use crate::domain::address::Address;
    use crate::domain::bank_account::{AccountType, BankAccount, BankFacts, BankStatus, HolderType};
    use crate::domain::card::{Brand, Card, CardFacts, Check, Checks, Fingerprint, Funding, Reference};
    use crate::domain::ids::InstrumentId;
    use crate::domain::instrument::Instrument;
    use crate::domain::metadata::Metadata;
    use crate::domain::money::{Currency, SUPPORTED};
    use crate::domain::payment_method::{
        AllowRedisplay, BillingDetails, LoosePaymentMethod, PaymentMethod, PaymentMethodKind,
    };
    use crate::domain::time::Time;
    use crate::store::record::address::tests::addresses;
    use crate::store::record::source::tests::sources;

    pub(crate) fn text() -> impl Strategy<Value = Option<String>> {
        option::of(any::<String>())
    }

    fn address() -> impl Strategy<Value = Address> {
        prop_oneof![Just(Address::default()), addresses()]
    }

    pub(crate) fn free() -> impl Strategy<Value = Metadata> {
        btree_map(any::<String>(), any::<String>(), 0..3)
    }

    pub(crate) fn billing() -> impl Strategy<Value = BillingDetails> {
        (address(), text(), text(), text()).prop_map(|(address, email, name, phone)| BillingDetails {
            address,
            email,
            name,
            phone,
        })
    }

    pub(crate) fn card_facts() -> impl Strategy<Value = CardFacts> {
        let check = || option::of(select(Check::ALL));
        let checks =
            (check(), check(), check()).prop_map(|(cvc, line1, postal_code)| Checks { cvc, line1, postal_code });
        let words = (any::<String>(), text(), any::<String>(), any::<String>());
        (select(Brand::ALL), select(Funding::ALL), words, any::<u8>(), any::<u16>(), checks).prop_map(
            |(brand, funding, words, exp_month, exp_year, checks)| CardFacts {
                brand,
                last4: words.0,
                exp_month,
                exp_year,
                country: words.1,
                funding,
                fingerprint: Fingerprint(words.2),
                checks,
                reference: Reference(words.3),
            },
        )
    }

    pub(crate) fn bank_facts() -> impl Strategy<Value = BankFacts> {
        let words = (text(), any::<String>(), any::<String>(), text(), any::<String>(), any::<String>());
        (words, 0..SUPPORTED.len()).prop_map(|(words, place)| BankFacts {
            bank_name: words.0,
            country: words.1,
            currency: Currency::parse(SUPPORTED[place]).expect("it is supported"),
            last4: words.2,
            routing_number: words.3,
            fingerprint: Fingerprint(words.4),
            reference: Reference(words.5),
        })
    }

    pub(crate) fn cards() -> impl Strategy<Value = Card> {
        (any::<String>(), any::<i64>(), card_facts(), billing(), option::of(select(AllowRedisplay::ALL)), free())
            .prop_map(|(id, created, facts, billing, allow_redisplay, metadata)| Card {
                id: InstrumentId(id),
                created: Time(created),
                facts,
                billing,
                allow_redisplay,
                metadata,
            })
    }

    pub(crate) fn bank_accounts() -> impl Strategy<Value = BankAccount> {
        let kinds =
            (option::of(select(HolderType::ALL)), option::of(select(AccountType::ALL)), select(BankStatus::ALL));
        (any::<String>(), any::<i64>(), bank_facts(), text(), kinds, any::<u32>(), free()).prop_map(
            |(id, created, facts, holder_name, kinds, failed_verifications, metadata)| BankAccount {
                id: InstrumentId(id),
                created: Time(created),
                facts,
                holder_name,
                holder_type: kinds.0,
                account_type: kinds.1,
                status: kinds.2,
                failed_verifications,
                metadata,
            },
        )
    }

    pub(crate) fn payment_methods() -> impl Strategy<Value = PaymentMethod> {
        let account = (bank_facts(), option::of(select(HolderType::ALL)), select(AccountType::ALL)).prop_map(
            |(facts, holder_type, account_type)| PaymentMethodKind::UsBankAccount { facts, holder_type, account_type },
        );
        let kind = prop_oneof![card_facts().prop_map(PaymentMethodKind::Card), account];
        (any::<String>(), any::<i64>(), kind, billing(), option::of(select(AllowRedisplay::ALL)), free()).prop_map(
            |(id, created, kind, billing, allow_redisplay, metadata)| PaymentMethod {
                id: InstrumentId(id),
                created: Time(created),
                kind,
                billing,
                allow_redisplay,
                metadata,
            },
        )
    }

    pub(crate) fn loose_payment_methods() -> impl Strategy<Value = LoosePaymentMethod> {
        (payment_methods(), any::<bool>()).prop_map(|(method, spent)| LoosePaymentMethod { method, spent })
    }

    /// Instruments with any facts at all.
    pub(crate) fn instruments() -> BoxedStrategy<Instrument> {
        prop_oneof![
            cards().prop_map(Instrument::from).boxed(),
            bank_accounts().prop_map(Instrument::from).boxed(),
            payment_methods().prop_map(Instrument::from).boxed(),
            sources().prop_map(Instrument::from).boxed(),
        ]
        .boxed()
    }

    proptest! {
        #[test]
        fn every_instrument_is_read_as_it_was_written(instrument in instruments()) {
            let body = serde_json::to_string(&InstrumentShape::from(&instrument)).unwrap();
            let read: InstrumentShape<'static> = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(Instrument::try_from(read), Ok(instrument));
        }
    }
}
