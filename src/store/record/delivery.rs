//! The shape of a delivery.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Text, Unreadable, is_default, parse, shape_of, word, write};
use crate::domain::delivery::{Attempt, Delivery, DeliveryState, Outcome};
use crate::domain::ids::{DeliveryId, EventId, WebhookEndpointId};
use crate::domain::time::Time;

/// The body of a delivery.
pub fn write_delivery(delivery: &Delivery) -> String {
    write(&DeliveryShape::from(delivery))
}

/// The delivery of a body.
pub fn read_delivery(body: &str) -> Result<Delivery, Unreadable> {
    match shape_of(body)? {
        1 => parse::<DeliveryShape<'static>>(body)?.try_into(),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
struct DeliveryShape<'a> {
    id: Text<'a>,
    endpoint: Text<'a>,
    event: Text<'a>,
    sequence: i64,
    #[serde(rename = "type")]
    event_type: Text<'a>,
    about: Text<'a>,
    created: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    by_hand: bool,
    state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<AttemptShape<'a>>,
}

#[derive(Serialize, Deserialize)]
struct AttemptShape<'a> {
    at: i64,
    took: i64,
    url: Text<'a>,
    #[serde(flatten)]
    outcome: OutcomeShape<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeShape<'a> {
    Answer(AnswerShape<'a>),
    Unanswered(Text<'a>),
}

#[derive(Serialize, Deserialize)]
struct AnswerShape<'a> {
    status: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(Text<'a>, Text<'a>)>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    body: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    truncated: bool,
}

impl<'a> From<&'a Delivery> for DeliveryShape<'a> {
    fn from(delivery: &'a Delivery) -> DeliveryShape<'a> {
        let Delivery {
            id: DeliveryId(id),
            endpoint: WebhookEndpointId(endpoint),
            event: EventId(event),
            sequence,
            event_type,
            about,
            created,
            by_hand,
            state,
            due,
            attempts,
            latest,
        } = delivery;
        DeliveryShape {
            id: Cow::Borrowed(id),
            endpoint: Cow::Borrowed(endpoint),
            event: Cow::Borrowed(event),
            sequence: *sequence,
            event_type: Cow::Borrowed(event_type),
            about: Cow::Borrowed(about),
            created: created.0,
            by_hand: *by_hand,
            state: Cow::Borrowed(state.as_str()),
            due: due.map(|due| due.0),
            attempts: *attempts,
            latest: latest.as_ref().map(AttemptShape::from),
        }
    }
}

impl TryFrom<DeliveryShape<'_>> for Delivery {
    type Error = Unreadable;

    fn try_from(shape: DeliveryShape<'_>) -> Result<Delivery, Unreadable> {
        let DeliveryShape {
            id,
            endpoint,
            event,
            sequence,
            event_type,
            about,
            created,
            by_hand,
            state,
            due,
            attempts,
            latest,
        } = shape;
        Ok(Delivery {
            id: DeliveryId(id.into_owned()),
            endpoint: WebhookEndpointId(endpoint.into_owned()),
            event: EventId(event.into_owned()),
            sequence,
            event_type: event_type.into_owned(),
            about: about.into_owned(),
            created: Time(created),
            by_hand,
            state: word("state", &state, DeliveryState::named)?,
            due: due.map(Time),
            attempts,
            latest: latest.map(Attempt::from),
        })
    }
}

impl<'a> From<&'a Attempt> for AttemptShape<'a> {
    fn from(attempt: &'a Attempt) -> AttemptShape<'a> {
        let Attempt { at, took_millis, url, outcome } = attempt;
        let outcome = match outcome {
            Outcome::Answered { status, headers, body, truncated } => OutcomeShape::Answer(AnswerShape {
                status: *status,
                headers: headers.iter().map(|(name, value)| (name.into(), value.into())).collect(),
                body: Cow::Borrowed(body),
                truncated: *truncated,
            }),
            Outcome::Unanswered(reason) => OutcomeShape::Unanswered(Cow::Borrowed(reason)),
        };
        AttemptShape { at: at.0, took: *took_millis, url: Cow::Borrowed(url), outcome }
    }
}

impl From<AttemptShape<'_>> for Attempt {
    fn from(shape: AttemptShape<'_>) -> Attempt {
        let AttemptShape { at, took, url, outcome } = shape;
        let outcome = match outcome {
            OutcomeShape::Answer(AnswerShape { status, headers, body, truncated }) => Outcome::Answered {
                status,
                headers: headers.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
                body: body.into_owned(),
                truncated,
            },
            OutcomeShape::Unanswered(reason) => Outcome::Unanswered(reason.into_owned()),
        };
        Attempt { at: Time(at), took_millis: took, url: url.into_owned(), outcome }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn attempts() -> impl Strategy<Value = Attempt> {
        let headers = vec(any::<(String, String)>(), 0..3);
        let outcome = prop_oneof![
            (any::<u16>(), headers, any::<String>(), any::<bool>())
                .prop_map(|(status, headers, body, truncated)| Outcome::Answered { status, headers, body, truncated }),
            any::<String>().prop_map(Outcome::Unanswered),
        ];
        (any::<i64>(), any::<i64>(), any::<String>(), outcome).prop_map(|(at, took_millis, url, outcome)| Attempt {
            at: Time(at),
            took_millis,
            url,
            outcome,
        })
    }

    fn deliveries() -> impl Strategy<Value = Delivery> {
        let texts = any::<[String; 5]>();
        let state = (0..DeliveryState::ALL.len()).prop_map(|place| DeliveryState::ALL[place]);
        let numbers = (any::<(i64, i64, bool, u32)>(), option::of(any::<i64>()));
        (texts, numbers, state, option::of(attempts())).prop_map(
            |(
                [id, endpoint, event, event_type, about],
                ((sequence, created, by_hand, attempts), due),
                state,
                latest,
            )| {
                Delivery {
                    id: DeliveryId(id),
                    endpoint: WebhookEndpointId(endpoint),
                    event: EventId(event),
                    sequence,
                    event_type,
                    about,
                    created: Time(created),
                    by_hand,
                    state,
                    due: due.map(Time),
                    attempts,
                    latest,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn every_delivery_is_read_as_it_was_written(delivery in deliveries()) {
            prop_assert_eq!(read_delivery(&write_delivery(&delivery)), Ok(delivery));
        }
    }

    #[test]
    fn a_delivery_that_was_kept_is_read() {
        let body = r#"{"v":1,"id":"whd_1","endpoint":"we_1","event":"evt_1","sequence":7,"type":"customer.created","about":"cus_1","created":5,"state":"pending","due":9,"attempts":1,"latest":{"at":6,"took":2,"url":"http://h/","answer":{"status":500,"body":"no"}}}"#;
        assert_eq!(read_delivery(body).map(|delivery| write_delivery(&delivery)), Ok(body.to_owned()));
    }
}
