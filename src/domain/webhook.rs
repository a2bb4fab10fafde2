//! Webhook endpoints: addresses that are told what happens.

use std::collections::BTreeMap;
use std::fmt;

use super::event::EventKind;
use super::ids::WebhookEndpointId;
use super::metadata::MetadataChange;
use super::patch::Patch;
use super::problem::Problem;
use super::time::Time;

/// The most endpoints that an account can have in each mode: docs.stripe.com/webhooks.
pub const MAX_ENDPOINTS: usize = 16;

/// The most secrets that sign beside the current one: an endpoint whose secret is rolled again while earlier ones go on.
pub const MAX_FORMER: usize = 8;
/// The longest that a secret goes on beside the one that replaced it, in seconds: docs.stripe.com/webhooks, "Roll endpoint
/// signing secrets periodically".
pub const MAX_OVERLAP_SECONDS: i64 = 24 * 60 * 60;

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
    /// What its secrets were made from before it was rolled, and until when each of them goes on. The latest is the first.
    pub former: Vec<(Salt, Time)>,
}

/// A wish for an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhookEndpoint {
    /// Where to send to.
    pub url: String,
    /// The types of events that it wants to hear of, or [`EVERYTHING`] alone.
    pub enabled_events: Vec<String>,
    /// The version that events are told in; `None` for the account's.
    pub api_version: Option<String>,
    /// What its owner notes about it.
    pub description: Option<String>,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A wish to change an endpoint; all else about it is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookEndpointChange {
    /// Where to send to.
    pub url: Option<String>,
    /// The types of events that it wants to hear of, or [`EVERYTHING`] alone.
    pub enabled_events: Option<Vec<String>>,
    /// What its owner notes about it.
    pub description: Patch<String>,
    /// Free data.
    pub metadata: MetadataChange,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
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
    /// The endpoint that is wished for, or the rule it breaks.
    pub fn new(wish: NewWebhookEndpoint, id: WebhookEndpointId, salt: Salt, now: Time) -> Result<Self, Problem> {
        let NewWebhookEndpoint { url, enabled_events, api_version, description, metadata: wished } = wish;
        let mut metadata = BTreeMap::new();
        wished.onto(&mut metadata)?;
        Ok(WebhookEndpoint {
            id,
            created: now,
            url,
            enabled_events,
            api_version,
            description,
            metadata,
            enabled: true,
            salt,
            former: Vec::new(),
        })
    }

    /// The endpoint after a change, or the rule that breaks.
    pub fn with(&self, change: WebhookEndpointChange) -> Result<WebhookEndpoint, Problem> {
        let WebhookEndpointChange { url, enabled_events, description, metadata, enabled } = change;
        let mut next = self.clone();
        next.url = url.unwrap_or(next.url);
        next.enabled_events = enabled_events.unwrap_or(next.enabled_events);
        description.onto(&mut next.description);
        metadata.onto(&mut next.metadata)?;
        next.enabled = enabled.unwrap_or(next.enabled);
        Ok(next)
    }

    /// The endpoint with a new secret. The one that it had, and those before that still sign, go on: that one until
    /// `overlap_until`. Without it all of them end at once, as they have to when one has become known.
    pub fn rolled(&self, salt: Salt, overlap_until: Option<Time>, now: Time) -> Result<WebhookEndpoint, Problem> {
        let mut former = Vec::new();
        if let Some(until) = overlap_until.filter(|until| now < *until) {
            former.push((self.salt, until));
            former.extend(self.former.iter().filter(|(_, until)| now < *until));
        }
        if former.len() > MAX_FORMER {
            return Err(Problem::TooManySecrets(self.id.clone()));
        }
        Ok(WebhookEndpoint { salt, former, ..self.clone() })
    }

    /// Whether it is to be told of such an event.
    pub fn hears(&self, kind: EventKind) -> bool {
        kind.is_stripes()
            && self.enabled
            && self.enabled_events.iter().any(|name| name == EVERYTHING || name == kind.as_str())
    }

    /// The salts of the secrets that sign at that moment, the current one first.
    pub fn salts(&self, now: Time) -> impl Iterator<Item = &Salt> {
        let former = self.former.iter().filter(move |(_, until)| now < *until).map(|(salt, _)| salt);
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
            former: vec![(Salt([2; 32]), Time(10))],
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

    #[test]
    fn secrets_that_go_on_are_not_lost_when_it_is_rolled_again() {
        let salts =
            |endpoint: &WebhookEndpoint, now| endpoint.salts(Time(now)).map(|salt| salt.0[0]).collect::<Vec<_>>();
        let twice = endpoint(&["*"]).rolled(Salt([3; 32]), Some(Time(8)), Time(1)).unwrap();
        assert_eq!(salts(&twice, 2), [3, 1, 2]);
        assert_eq!(salts(&twice, 8), [3, 2]);
        let late = twice.rolled(Salt([4; 32]), Some(Time(30)), Time(20)).unwrap();
        assert_eq!(late.former, [(Salt([3; 32]), Time(30))]);
        for at_once in [None, Some(Time(2))] {
            assert_eq!(salts(&twice.rolled(Salt([5; 32]), at_once, Time(2)).unwrap(), 3), [5]);
        }
        let mut many = late;
        for _ in 1..MAX_FORMER {
            many = many.rolled(Salt([6; 32]), Some(Time(90)), Time(21)).unwrap();
        }
        assert!(many.rolled(Salt([6; 32]), Some(Time(90)), Time(21)).is_err());
        assert!(many.rolled(Salt([6; 32]), None, Time(21)).is_ok());
    }
}
