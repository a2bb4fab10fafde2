//! Deliveries: that an endpoint is to be told of an event, and what came of it.

use super::event::Event;
use super::ids::{DeliveryId, EventId, WebhookEndpointId};
use super::time::Time;
use super::words::words;

words! {
    /// How far a delivery has come.
    pub enum DeliveryState {
        /// It is to be sent, for the first time or again.
        Pending = "pending",
        /// The endpoint has answered with a 2xx.
        Succeeded = "succeeded",
        /// It was given up.
        Failed = "failed",
        /// Its endpoint was disabled or deleted before it succeeded.
        Canceled = "canceled",
    }
}

/// When something is due that is to be sent as soon as can be: before everything that waits for a time, whatever the clocks
/// of servers say, and so in the order of events.
pub const AT_ONCE: Time = Time(0);

/// An event for an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// For whom: a webhook endpoint, or a listening session.
    pub endpoint: WebhookEndpointId,
    /// The event.
    pub event: EventId,
    /// The event's place in the account's history.
    pub sequence: i64,
    /// The event's type, as `customer.created`.
    pub event_type: String,
    /// Whom the event is about: deliveries about one customer are sent one after the other.
    pub about: String,
    /// When it was made.
    pub created: Time,
    /// Somebody asked for it by hand: it is tried once and not again.
    pub by_hand: bool,
    /// How far it has come.
    pub state: DeliveryState,
    /// When it is to be sent; only while it is pending. A listening session sends by itself.
    pub due: Option<Time>,
    /// How often it was tried.
    pub attempts: u32,
    /// The latest attempt.
    pub latest: Option<Attempt>,
}

/// What a delivery says of its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The event.
    pub event: EventId,
    /// Its place in the account's history.
    pub sequence: i64,
    /// Its type.
    pub event_type: String,
    /// Whom it is about.
    pub about: String,
}

impl From<&Event> for News {
    fn from(event: &Event) -> News {
        News {
            event: event.id.clone(),
            sequence: event.sequence,
            event_type: event.what.kind().as_str().to_owned(),
            about: event.what.about().to_owned(),
        }
    }
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Time,
    /// How long it took, in milliseconds.
    pub took_millis: i64,
    /// Where it went.
    pub url: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was an answer.
    Answered {
        /// Its HTTP status.
        status: u16,
        /// Its headers, as far as they are kept.
        headers: Vec<(String, String)>,
        /// Its body, as far as it is kept.
        body: String,
        /// There was more of the body.
        truncated: bool,
    },
    /// There was none, for this reason.
    Unanswered(String),
}

impl Attempt {
    /// Whether the endpoint took it.
    pub fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Answered { status: 200..=299, .. })
    }
}

impl Delivery {
    /// An event for an endpoint, to be sent at once.
    pub fn new(id: DeliveryId, endpoint: WebhookEndpointId, news: News, now: Time) -> Delivery {
        let News { event, sequence, event_type, about } = news;
        Delivery {
            id,
            endpoint,
            event,
            sequence,
            event_type,
            about,
            created: now,
            by_hand: false,
            state: DeliveryState::Pending,
            due: Some(AT_ONCE),
            attempts: 0,
            latest: None,
        }
    }

    /// Whether it is still to succeed.
    pub fn is_open(&self) -> bool {
        self.state == DeliveryState::Pending
    }

    /// After one more attempt; `again` says when to try once more if it failed.
    #[must_use]
    pub fn tried(self, attempt: Attempt, again: Option<Time>) -> Delivery {
        let again = again.filter(|_| !self.by_hand);
        let (state, due) = match (attempt.succeeded(), again) {
            (true, _) => (DeliveryState::Succeeded, None),
            (false, Some(again)) => (DeliveryState::Pending, Some(again)),
            (false, None) => (DeliveryState::Failed, None),
        };
        Delivery { state, due, attempts: self.attempts.saturating_add(1), latest: Some(attempt), ..self }
    }

    /// Not to be sent any more.
    #[must_use]
    pub fn canceled(self) -> Delivery {
        Delivery { state: DeliveryState::Canceled, due: None, ..self }
    }
}

/// The deliveries of an endpoint that are to be sent, as a whole: one server at a time works on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Whose.
    pub endpoint: WebhookEndpointId,
    /// When something in it is due next; `None` while nothing is to be sent.
    pub due: Option<Time>,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// Since when every attempt has failed.
    pub failing_since: Option<Time>,
}

/// A server's right to work on a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The server, by a name that it has for as long as it runs.
    pub owner: String,
    /// Until when, unless it is renewed.
    pub until: Time,
}

impl Queue {
    /// An empty one.
    pub fn new(endpoint: WebhookEndpointId) -> Queue {
        Queue { endpoint, due: None, lease: None, failing_since: None }
    }

    /// Whether this server may work on it.
    pub fn is_free_for(&self, owner: &str, now: Time) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.owner == owner || lease.until <= now)
    }
}

/// Which deliveries to list. They are in the order of their events, then of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryPage {
    /// For this endpoint.
    pub endpoint: Option<WebhookEndpointId>,
    /// Of the event at this place.
    pub event: Option<i64>,
    /// That have come so far.
    pub state: Option<DeliveryState>,
    /// Behind this one: its event's place and its id. Only older ones.
    pub after: Option<(i64, DeliveryId)>,
    /// How many at most.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(status: u16) -> Attempt {
        let outcome = Outcome::Answered { status, headers: Vec::new(), body: String::new(), truncated: false };
        Attempt { at: Time(1), took_millis: 2, url: "https://example.com".into(), outcome }
    }

    fn delivery() -> Delivery {
        Delivery {
            id: DeliveryId("whd_1".into()),
            endpoint: WebhookEndpointId("we_1".into()),
            event: EventId("evt_1".into()),
            sequence: 1,
            event_type: "customer.created".into(),
            about: "cus_1".into(),
            created: Time(0),
            by_hand: false,
            state: DeliveryState::Pending,
            due: Some(Time(0)),
            attempts: 0,
            latest: None,
        }
    }

    #[test]
    fn only_a_2xx_is_a_success() {
        for (status, state) in
            [(200, "succeeded"), (299, "succeeded"), (302, "failed"), (199, "failed"), (500, "failed")]
        {
            assert_eq!(delivery().tried(attempt(status), None).state.as_str(), state, "{status}");
        }
        let again = delivery().tried(attempt(500), Some(Time(9)));
        assert_eq!((again.state, again.due, again.attempts), (DeliveryState::Pending, Some(Time(9)), 1));
        let unanswered = Attempt { outcome: Outcome::Unanswered("nobody is there".into()), ..attempt(200) };
        assert_eq!(delivery().tried(unanswered, None).state, DeliveryState::Failed);
    }

    #[test]
    fn what_was_asked_for_by_hand_is_tried_once() {
        let once = Delivery { by_hand: true, ..delivery() }.tried(attempt(500), Some(Time(9)));
        assert_eq!((once.state, once.due), (DeliveryState::Failed, None));
    }

    #[test]
    fn a_queue_is_free_for_its_owner_and_after_its_lease() {
        let lease = Some(Lease { owner: "a".into(), until: Time(10) });
        let queue = Queue { lease, ..Queue::new(WebhookEndpointId("we_1".into())) };
        assert!(
            queue.is_free_for("a", Time(5)) && !queue.is_free_for("b", Time(9)) && queue.is_free_for("b", Time(10))
        );
    }
}
