//! Webhook endpoints: addresses that are told what happens.

use std::collections::BTreeMap;
use std::fmt;

use super::event::EventKind;
use super::ids::WebhookEndpointId;
use super::time::Time;

/// The most endpoints that an account can have in each mode: docs.stripe.com/webhooks.
pub const MAX_ENDPOINTS: usize = 16;

/// What an endpoint says that wants to hear of everything.
pub const EVERYTHING: &str = "*";

/// An address that is told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// When it was made.
    pub created: Time,
    /// Where to send to.
    pub url: String,
    /// The types of events that it wants to hear of, as its owner wrote them; [`EVERYTHING`] alone for all.
    pub enabled_events: Vec<String>,
    /// The version that events are told in; `None` for the account's.
    pub api_version: Option<String>,
    /// What its owner notes about it.
    pub description: Option<String>,
    /// Free data.
    pub metadata: BTreeMap<String, String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// What its secret is made from.
    pub salt: Salt,
    /// What its secret was made from before it was rolled, and until when that secret goes on.
    pub former: Option<(Salt, Time)>,
}

/// What a signing secret is made from, together with the server's key. By itself it tells nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl WebhookEndpoint {
    /// Whether it is to be told of such an event.
    pub fn hears(&self, kind: EventKind) -> bool {
        self.enabled && self.enabled_events.iter().any(|name| name == EVERYTHING || name == kind.as_str())
    }

    /// The salts of the secrets that sign at that moment, the current one first.
    pub fn salts(&self, now: Time) -> impl Iterator<Item = &Salt> {
        let former = self.former.as_ref().filter(|(_, until)| now < *until).map(|(salt, _)| salt);
        std::iter::once(&self.salt).chain(former)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Change, Subject};

    fn endpoint(enabled_events: &[&str]) -> WebhookEndpoint {
        WebhookEndpoint {
            id: WebhookEndpointId("we_1".into()),
            created: Time(0),
            url: "https://example.com/hook".into(),
            enabled_events: enabled_events.iter().map(|name| (*name).to_owned()).collect(),
            api_version: None,
            description: None,
            metadata: BTreeMap::new(),
            enabled: true,
            salt: Salt([1; 32]),
            former: Some((Salt([2; 32]), Time(10))),
        }
    }

    #[test]
    fn an_endpoint_hears_what_it_asked_for_while_it_is_enabled() {
        let (created, deleted) = (Change::Created, Change::Deleted);
        let kind = |change| EventKind::Change(Subject::Customer, change);
        let some = endpoint(&["customer.created", "coupon.created"]);
        assert!(some.hears(kind(created)) && !some.hears(kind(deleted)));
        assert!(endpoint(&["*"]).hears(kind(deleted)));
        assert!(!WebhookEndpoint { enabled: false, ..endpoint(&["*"]) }.hears(kind(created)));
    }

    #[test]
    fn a_former_secret_signs_until_its_end() {
        let endpoint = endpoint(&["*"]);
        assert_eq!(endpoint.salts(Time(9)).collect::<Vec<_>>(), [&Salt([1; 32]), &Salt([2; 32])]);
        assert_eq!(endpoint.salts(Time(10)).collect::<Vec<_>>(), [&Salt([1; 32])]);
    }
}
