//! The shape of a webhook endpoint. Its secrets are not in it: only what they are made from, which without the server's
//! key tells nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::{Text, Unreadable, borrowed, is_default, owned};
use crate::domain::ids::WebhookEndpointId;
use crate::domain::time::Time;
use crate::domain::webhook::{Salt, WebhookEndpoint};

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct WebhookEndpointShape<'a> {
    id: Text<'a>,
    created: i64,
    url: Text<'a>,
    events: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    disabled: bool,
    /// Base64.
    salt: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<FormerShape<'a>>,
}

#[derive(Serialize, Deserialize)]
struct FormerShape<'a> {
    salt: Text<'a>,
    until: i64,
}

fn write_salt(salt: &Salt) -> Text<'static> {
    BASE64.encode(salt.0).into()
}

fn read_salt(text: &str) -> Result<Salt, Unreadable> {
    let bytes = BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(Salt).ok_or(Unreadable::UnknownWord("salt"))
}

impl<'a> From<&'a WebhookEndpoint> for WebhookEndpointShape<'a> {
    fn from(endpoint: &'a WebhookEndpoint) -> WebhookEndpointShape<'a> {
        let WebhookEndpoint {
            id: WebhookEndpointId(id),
            created,
            url,
            enabled_events,
            api_version,
            description,
            metadata,
            enabled,
            salt,
            former,
        } = endpoint;
        WebhookEndpointShape {
            id: Cow::Borrowed(id),
            created: created.0,
            url: Cow::Borrowed(url),
            events: enabled_events.iter().map(|name| Cow::Borrowed(name.as_str())).collect(),
            api_version: borrowed(api_version),
            description: borrowed(description),
            metadata: metadata.iter().map(|(key, value)| (key.into(), value.into())).collect(),
            disabled: !enabled,
            salt: write_salt(salt),
            former: former.iter().map(|(salt, until)| FormerShape { salt: write_salt(salt), until: until.0 }).collect(),
        }
    }
}

impl TryFrom<WebhookEndpointShape<'_>> for WebhookEndpoint {
    type Error = Unreadable;

    fn try_from(shape: WebhookEndpointShape<'_>) -> Result<WebhookEndpoint, Unreadable> {
        let WebhookEndpointShape {
            id,
            created,
            url,
            events,
            api_version,
            description,
            metadata,
            disabled,
            salt,
            former,
        } = shape;
        let former = former.iter().map(|FormerShape { salt, until }| Ok((read_salt(salt)?, Time(*until))));
        let former = former.collect::<Result<_, Unreadable>>()?;
        Ok(WebhookEndpoint {
            id: WebhookEndpointId(id.into_owned()),
            created: Time(created),
            url: url.into_owned(),
            enabled_events: events.into_iter().map(Cow::into_owned).collect(),
            api_version: owned(api_version),
            description: owned(description),
            metadata: metadata.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
            enabled: !disabled,
            salt: read_salt(&salt)?,
            former,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn salts() -> impl Strategy<Value = Salt> {
        any::<[u8; 32]>().prop_map(Salt)
    }

    /// Endpoints of any facts.
    pub(crate) fn webhook_endpoints() -> impl Strategy<Value = WebhookEndpoint> {
        let texts = (any::<String>(), any::<String>(), option::of(any::<String>()), option::of(any::<String>()));
        let events = vec(any::<String>(), 0..4);
        let metadata = btree_map(any::<String>(), any::<String>(), 0..4);
        let former = vec((salts(), any::<i64>()), 0..3);
        (texts, events, metadata, any::<(i64, bool)>(), salts(), former).prop_map(
            |(texts, enabled_events, metadata, (created, enabled), salt, former)| WebhookEndpoint {
                id: WebhookEndpointId(texts.0),
                created: Time(created),
                url: texts.1,
                enabled_events,
                api_version: texts.2,
                description: texts.3,
                metadata,
                enabled,
                salt,
                former: former.into_iter().map(|(salt, until)| (salt, Time(until))).collect(),
            },
        )
    }

    #[test]
    fn a_salt_of_another_length_is_refused() {
        assert_eq!(read_salt("AAAA"), Err(Unreadable::UnknownWord("salt")));
        assert_eq!(read_salt(&write_salt(&Salt([7; 32]))), Ok(Salt([7; 32])));
    }
}
