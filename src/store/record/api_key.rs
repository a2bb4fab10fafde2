//! The shape of an API key. Its digest is not part of the body: the row's key says it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::ModeShape;
use super::{Text, Unreadable, borrowed, owned, parse, shape_of, write};
use crate::domain::api_key::{Access, ApiKey, KeyDigest, KeyKind, Resource};
use crate::domain::ids::AccountId;
use crate::domain::time::Time;

/// The body of an API key.
pub fn write_api_key(key: &ApiKey) -> String {
    write(&ApiKeyShape::from(key))
}

/// The API key of a body and its digest.
pub fn read_api_key(digest: KeyDigest, body: &str) -> Result<ApiKey, Unreadable> {
    match shape_of(body)? {
        1 => Ok(parse::<ApiKeyShape<'static>>(body)?.into_api_key(digest)),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
struct ApiKeyShape<'a> {
    account: Text<'a>,
    mode: ModeShape,
    kind: KeyKindShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Text<'a>>,
    last4: Text<'a>,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyKindShape {
    Secret,
    Restricted(BTreeMap<ResourceShape, AccessShape>),
    Publishable,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResourceShape {
    Account,
    Coupon,
    Customer,
    Event,
    PaymentMethod,
    PromotionCode,
    SetupIntent,
    Source,
    Token,
    TaxId,
    WebhookEndpoint,
    Asset,
    BillingGroup,
    Business,
    CustomerAddress,
    Order,
    Product,
    Rental,
    RentalPayment,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AccessShape {
    None,
    Read,
    Write,
}

impl<'a> From<&'a ApiKey> for ApiKeyShape<'a> {
    fn from(key: &'a ApiKey) -> ApiKeyShape<'a> {
        let ApiKey { digest: _, account: AccountId(account), mode, kind, label, last4, created, revoked } = key;
        ApiKeyShape {
            account: Cow::Borrowed(account),
            mode: (*mode).into(),
            kind: match kind {
                KeyKind::Secret => KeyKindShape::Secret,
                KeyKind::Restricted(permissions) => KeyKindShape::Restricted(
                    permissions.iter().map(|(resource, access)| ((*resource).into(), (*access).into())).collect(),
                ),
                KeyKind::Publishable => KeyKindShape::Publishable,
            },
            label: borrowed(label),
            last4: Cow::Borrowed(last4),
            created: created.0,
            revoked: revoked.map(|time| time.0),
        }
    }
}

impl ApiKeyShape<'_> {
    fn into_api_key(self, digest: KeyDigest) -> ApiKey {
        let ApiKeyShape { account, mode, kind, label, last4, created, revoked } = self;
        ApiKey {
            digest,
            account: AccountId(account.into_owned()),
            mode: mode.into(),
            kind: match kind {
                KeyKindShape::Secret => KeyKind::Secret,
                KeyKindShape::Restricted(permissions) => KeyKind::Restricted(
                    permissions.into_iter().map(|(resource, access)| (resource.into(), access.into())).collect(),
                ),
                KeyKindShape::Publishable => KeyKind::Publishable,
            },
            label: owned(label),
            last4: last4.into_owned(),
            created: Time(created),
            revoked: revoked.map(Time),
        }
    }
}

impl From<Resource> for ResourceShape {
    fn from(resource: Resource) -> ResourceShape {
        match resource {
            Resource::Account => ResourceShape::Account,
            Resource::Coupon => ResourceShape::Coupon,
            Resource::Customer => ResourceShape::Customer,
            Resource::Event => ResourceShape::Event,
            Resource::PaymentMethod => ResourceShape::PaymentMethod,
            Resource::PromotionCode => ResourceShape::PromotionCode,
            Resource::SetupIntent => ResourceShape::SetupIntent,
            Resource::Source => ResourceShape::Source,
            Resource::Token => ResourceShape::Token,
            Resource::TaxId => ResourceShape::TaxId,
            Resource::WebhookEndpoint => ResourceShape::WebhookEndpoint,
            Resource::Asset => ResourceShape::Asset,
            Resource::BillingGroup => ResourceShape::BillingGroup,
            Resource::Business => ResourceShape::Business,
            Resource::CustomerAddress => ResourceShape::CustomerAddress,
            Resource::Order => ResourceShape::Order,
            Resource::Product => ResourceShape::Product,
            Resource::Rental => ResourceShape::Rental,
            Resource::RentalPayment => ResourceShape::RentalPayment,
        }
    }
}

impl From<ResourceShape> for Resource {
    fn from(shape: ResourceShape) -> Resource {
        match shape {
            ResourceShape::Account => Resource::Account,
            ResourceShape::Coupon => Resource::Coupon,
            ResourceShape::Customer => Resource::Customer,
            ResourceShape::Event => Resource::Event,
            ResourceShape::PaymentMethod => Resource::PaymentMethod,
            ResourceShape::PromotionCode => Resource::PromotionCode,
            ResourceShape::SetupIntent => Resource::SetupIntent,
            ResourceShape::Source => Resource::Source,
            ResourceShape::Token => Resource::Token,
            ResourceShape::TaxId => Resource::TaxId,
            ResourceShape::WebhookEndpoint => Resource::WebhookEndpoint,
            ResourceShape::Asset => Resource::Asset,
            ResourceShape::BillingGroup => Resource::BillingGroup,
            ResourceShape::Business => Resource::Business,
            ResourceShape::CustomerAddress => Resource::CustomerAddress,
            ResourceShape::Order => Resource::Order,
            ResourceShape::Product => Resource::Product,
            ResourceShape::Rental => Resource::Rental,
            ResourceShape::RentalPayment => Resource::RentalPayment,
        }
    }
}

impl From<Access> for AccessShape {
    fn from(access: Access) -> AccessShape {
        match access {
            Access::None => AccessShape::None,
            Access::Read => AccessShape::Read,
            Access::Write => AccessShape::Write,
        }
    }
}

impl From<AccessShape> for Access {
    fn from(shape: AccessShape) -> Access {
        match shape {
            AccessShape::None => Access::None,
            AccessShape::Read => Access::Read,
            AccessShape::Write => Access::Write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{read_api_key, write_api_key};
    use crate::domain::account::Mode;
    use crate::domain::api_key::{Access, ApiKey, KeyKind, Resource};
    use crate::domain::ids::AccountId;
    use crate::domain::time::Time;

    #[test]
    fn an_api_key_is_read_as_it_was_written() {
        let accesses = [Access::None, Access::Read, Access::Write];
        let permissions = Resource::ALL.iter().copied().zip(accesses.into_iter().cycle()).collect();
        for kind in [KeyKind::Secret, KeyKind::Publishable, KeyKind::Restricted(permissions)] {
            for (label, revoked) in [(None, None), (Some("laptop".into()), Some(Time(9)))] {
                let key = ApiKey {
                    digest: [7; 32],
                    account: AccountId("acct_1".into()),
                    mode: Mode::Live,
                    kind: kind.clone(),
                    label,
                    last4: "abcd".into(),
                    created: Time(5),
                    revoked,
                };
                assert_eq!(read_api_key(key.digest, &write_api_key(&key)), Ok(key));
            }
        }
    }
}
