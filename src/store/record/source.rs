//! The shapes of sources: of those that a customer holds and of those that nobody does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::{borrowed_metadata, owned_metadata, read_currency};
use super::instrument::{BillingShape, CardFactsShape, read_allow_redisplay, said};
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::card::Fingerprint;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::source::{
    LooseSource, Receiver, Redirect, RedirectStatus, RefundMethod, Source, SourceDetails, SourceStatus, SourceType,
    Usage,
};
use crate::domain::time::Time;

/// Shape 1. Which of the parts about its type there are follows from the type.
#[derive(Serialize, Deserialize)]
pub(super) struct SourceShape<'a> {
    id: Text<'a>,
    created: i64,
    #[serde(rename = "type")]
    kind: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_number: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardFactsShape<'a>>,
    status: Text<'a>,
    usage: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Text<'a>>,
    client_secret: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    owner: BillingShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_descriptor: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<RedirectShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<ReceiverShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_redisplay: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct RedirectShape<'a> {
    return_url: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    origin: Text<'a>,
    status: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct ReceiverShape<'a> {
    refund_method: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    received: i64,
}

/// Of a source that no customer holds.
#[derive(Serialize, Deserialize)]
pub(super) struct LooseSourceShape<'a> {
    source: SourceShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    former: Option<Text<'a>>,
}

impl<'a> From<&'a LooseSource> for LooseSourceShape<'a> {
    fn from(loose: &'a LooseSource) -> LooseSourceShape<'a> {
        let LooseSource { source, former } = loose;
        let former = former.as_ref().map(|CustomerId(id)| Cow::Borrowed(id.as_str()));
        LooseSourceShape { source: source.into(), former }
    }
}

impl TryFrom<LooseSourceShape<'_>> for LooseSource {
    type Error = Unreadable;

    fn try_from(shape: LooseSourceShape<'_>) -> Result<LooseSource, Unreadable> {
        let LooseSourceShape { source, former } = shape;
        Ok(LooseSource { source: source.try_into()?, former: owned(former).map(CustomerId) })
    }
}

impl<'a> From<&'a Source> for SourceShape<'a> {
    fn from(source: &'a Source) -> SourceShape<'a> {
        let Source {
            id: InstrumentId(id),
            created,
            details,
            status,
            usage,
            amount,
            currency,
            client_secret,
            owner,
            statement_descriptor,
            redirect,
            receiver,
            allow_redisplay,
            metadata,
        } = source;
        let mut shape = SourceShape {
            id: Cow::Borrowed(id),
            created: created.0,
            kind: said(details.kind().as_str()),
            account_number: None,
            fingerprint: None,
            language: None,
            bank: None,
            country: None,
            entity: None,
            reference: None,
            card: None,
            status: said(status.as_str()),
            usage: said(usage.as_str()),
            amount: *amount,
            currency: currency.as_ref().map(|currency| Cow::Borrowed(currency.as_str())),
            client_secret: Cow::Borrowed(client_secret),
            owner: owner.into(),
            statement_descriptor: borrowed(statement_descriptor),
            redirect: redirect.as_ref().map(|Redirect { return_url, origin, status }| RedirectShape {
                return_url: Cow::Borrowed(return_url),
                origin: Cow::Borrowed(origin),
                status: said(status.as_str()),
            }),
            receiver: receiver.as_ref().map(|Receiver { refund_method, received }| ReceiverShape {
                refund_method: said(refund_method.as_str()),
                received: *received,
            }),
            allow_redisplay: allow_redisplay.map(|allow| said(allow.as_str())),
            metadata: borrowed_metadata(metadata),
        };
        match details {
            SourceDetails::AchCreditTransfer { account_number, fingerprint: Fingerprint(fingerprint) } => {
                shape.account_number = Some(Cow::Borrowed(account_number));
                shape.fingerprint = Some(Cow::Borrowed(fingerprint));
            }
            SourceDetails::Bancontact { preferred_language } => shape.language = borrowed(preferred_language),
            SourceDetails::Card(facts) => shape.card = Some(facts.into()),
            SourceDetails::Ideal { bank } => shape.bank = borrowed(bank),
            SourceDetails::Multibanco { entity, reference } => {
                shape.entity = Some(Cow::Borrowed(entity));
                shape.reference = Some(Cow::Borrowed(reference));
            }
            SourceDetails::Sofort { country, preferred_language } => {
                shape.country = Some(Cow::Borrowed(country));
                shape.language = borrowed(preferred_language);
            }
            SourceDetails::Alipay
            | SourceDetails::Eps
            | SourceDetails::Giropay
            | SourceDetails::P24
            | SourceDetails::Wechat => {}
        }
        shape
    }
}

impl TryFrom<SourceShape<'_>> for Source {
    type Error = Unreadable;

    fn try_from(shape: SourceShape<'_>) -> Result<Source, Unreadable> {
        let SourceShape {
            id,
            created,
            kind,
            account_number,
            fingerprint,
            language,
            bank,
            country,
            entity,
            reference,
            card,
            status,
            usage,
            amount,
            currency,
            client_secret,
            owner,
            statement_descriptor,
            redirect,
            receiver,
            allow_redisplay,
            metadata,
        } = shape;
        let there = |part: &'static str, text: Option<Text<'_>>| owned(text).ok_or(Unreadable::UnknownWord(part));
        let details = match word("type", &kind, SourceType::named)? {
            SourceType::AchCreditTransfer => SourceDetails::AchCreditTransfer {
                account_number: there("account_number", account_number)?,
                fingerprint: Fingerprint(there("fingerprint", fingerprint)?),
            },
            SourceType::Alipay => SourceDetails::Alipay,
            SourceType::Bancontact => SourceDetails::Bancontact { preferred_language: owned(language) },
            SourceType::Card => SourceDetails::Card(card.ok_or(Unreadable::UnknownWord("card"))?.try_into()?),
            SourceType::Eps => SourceDetails::Eps,
            SourceType::Giropay => SourceDetails::Giropay,
            SourceType::Ideal => SourceDetails::Ideal { bank: owned(bank) },
            SourceType::Multibanco => SourceDetails::Multibanco {
                entity: there("entity", entity)?,
                reference: there("reference", reference)?,
            },
            SourceType::P24 => SourceDetails::P24,
            SourceType::Sofort => {
                SourceDetails::Sofort { country: there("country", country)?, preferred_language: owned(language) }
            }
            SourceType::Wechat => SourceDetails::Wechat,
        };
        let redirect = redirect.map(|RedirectShape { return_url, origin, status }| {
            let status = word("redirect", &status, RedirectStatus::named)?;
            Ok(Redirect { return_url: return_url.into_owned(), origin: origin.into_owned(), status })
        });
        let receiver = receiver.map(|ReceiverShape { refund_method, received }| {
            Ok(Receiver { refund_method: word("refund_method", &refund_method, RefundMethod::named)?, received })
        });
        Ok(Source {
            id: InstrumentId(id.into_owned()),
            created: Time(created),
            details,
            status: word("status", &status, SourceStatus::named)?,
            usage: word("usage", &usage, Usage::named)?,
            amount,
            currency: currency.map(|currency| read_currency(&currency)).transpose()?,
            client_secret: client_secret.into_owned(),
            owner: owner.into(),
            statement_descriptor: owned(statement_descriptor),
            redirect: redirect.transpose()?,
            receiver: receiver.transpose()?,
            allow_redisplay: read_allow_redisplay(allow_redisplay)?,
            metadata: owned_metadata(metadata),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use crate::domain::card::Fingerprint;
    use crate::domain::ids::{CustomerId, InstrumentId};
    use crate::domain::money::{Currency, SUPPORTED};
    use crate::domain::payment_method::AllowRedisplay;
    use crate::domain::source::{
        LooseSource, Receiver, Redirect, RedirectStatus, RefundMethod, Source, SourceDetails, SourceStatus, Usage,
    };
    use crate::domain::time::Time;
    use crate::store::record::instrument::tests::{billing, card_facts, free, text};

    fn details() -> impl Strategy<Value = SourceDetails> {
        prop_oneof![
            select(vec![
                SourceDetails::Alipay,
                SourceDetails::Eps,
                SourceDetails::Giropay,
                SourceDetails::P24,
                SourceDetails::Wechat,
            ]),
            (any::<String>(), any::<String>()).prop_map(|(account_number, fingerprint)| {
                SourceDetails::AchCreditTransfer { account_number, fingerprint: Fingerprint(fingerprint) }
            }),
            text().prop_map(|preferred_language| SourceDetails::Bancontact { preferred_language }),
            card_facts().prop_map(SourceDetails::Card),
            text().prop_map(|bank| SourceDetails::Ideal { bank }),
            (any::<String>(), any::<String>())
                .prop_map(|(entity, reference)| SourceDetails::Multibanco { entity, reference }),
            (any::<String>(), text())
                .prop_map(|(country, preferred_language)| SourceDetails::Sofort { country, preferred_language }),
        ]
    }

    fn redirects() -> impl Strategy<Value = Redirect> {
        (any::<String>(), any::<String>(), select(RedirectStatus::ALL))
            .prop_map(|(return_url, origin, status)| Redirect { return_url, origin, status })
    }

    fn receivers() -> impl Strategy<Value = Receiver> {
        (select(RefundMethod::ALL), any::<i64>())
            .prop_map(|(refund_method, received)| Receiver { refund_method, received })
    }

    /// Sources with any facts at all.
    pub(crate) fn sources() -> BoxedStrategy<Source> {
        let words = (any::<String>(), any::<String>(), text());
        let states = (select(SourceStatus::ALL), select(Usage::ALL), option::of(select(AllowRedisplay::ALL)));
        let money = (option::of(any::<i64>()), option::of(0..SUPPORTED.len()));
        let flow = (option::of(redirects()), option::of(receivers()));
        let made = (words, any::<i64>(), details(), states, money, billing(), flow, free()).prop_map(
            |(words, created, details, states, money, owner, flow, metadata)| Source {
                id: InstrumentId(words.0),
                created: Time(created),
                details,
                status: states.0,
                usage: states.1,
                amount: money.0,
                currency: money.1.map(|place| Currency::parse(SUPPORTED[place]).expect("it is supported")),
                client_secret: words.1,
                owner,
                statement_descriptor: words.2,
                redirect: flow.0,
                receiver: flow.1,
                allow_redisplay: states.2,
                metadata,
            },
        );
        // A strategy of this size does not fit on the stack beside others.
        made.boxed()
    }

    pub(crate) fn loose_sources() -> impl Strategy<Value = LooseSource> {
        (sources(), text()).prop_map(|(source, former)| LooseSource { source, former: former.map(CustomerId) })
    }
}
