//! The shape of an event. Its place in the history is not part of the body: the row's key says it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::customer::CustomerShape;
use super::facts::FactsShape;
use super::holding::HoldingShape;
use super::source::SourceShape;
use super::{Text, Unreadable, borrowed, owned, parse, shape_of, word, write};
use crate::domain::customer::Customer;
use crate::domain::event::{Cause, Event, Happening, ObjectChange, Subject};
use crate::domain::facts::Facts;
use crate::domain::holding::Holding;
use crate::domain::ids::{CustomerId, EventId, RequestId};
use crate::domain::setup_intent::{SetupIntent, SetupStep};
use crate::domain::source::{Outcome, Source};
use crate::domain::time::Time;

/// What the body of an event is written from.
#[derive(Clone, Copy, Debug)]
pub struct EventBody<'a> {
    /// Its id.
    pub id: &'a EventId,
    /// When.
    pub created: Time,
    /// What asked for it.
    pub cause: &'a Cause,
    /// What happened.
    pub what: &'a Happening,
}

/// The body of an event.
pub fn write_event(event: EventBody<'_>) -> String {
    write(&EventShape::from(event))
}

/// The event of a body and its place.
pub fn read_event(sequence: i64, body: &str) -> Result<Event, Unreadable> {
    match shape_of(body)? {
        1 => parse::<EventShape<'static>>(body)?.into_event(sequence),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
struct EventShape<'a> {
    id: Text<'a>,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<Text<'a>>,
    what: HappeningShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<CustomerShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<CustomerShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<FactsShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<FactsShape<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<FactsShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HoldingShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<HoldingShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Box<SourceShape<'a>>>,
}

// Beside the states that it tells of, not around them: an enum that holds them would be parsed twice.
#[derive(Serialize, Deserialize)]
enum HappeningShape {
    #[serde(rename = "customer.created")]
    Created,
    #[serde(rename = "customer.updated")]
    Updated,
    #[serde(rename = "customer.deleted")]
    Deleted,
    #[serde(rename = "object.created")]
    ObjectCreated,
    #[serde(rename = "object.updated")]
    ObjectUpdated,
    #[serde(rename = "object.deleted")]
    ObjectDeleted,
    #[serde(rename = "holding.created")]
    HoldingCreated,
    #[serde(rename = "holding.updated")]
    HoldingUpdated,
    #[serde(rename = "holding.deleted")]
    HoldingDeleted,
    #[serde(rename = "cash.arrived")]
    CashArrived,
    #[serde(rename = "setup")]
    Setup,
    #[serde(rename = "source.settled")]
    SourceSettled,
}

impl<'a> From<EventBody<'a>> for EventShape<'a> {
    fn from(event: EventBody<'a>) -> EventShape<'a> {
        let EventBody { id: EventId(id), created, cause: Cause { request, idempotency_key }, what } = event;
        let mut shape = EventShape {
            id: Cow::Borrowed(id),
            created: created.0,
            request: request.as_ref().map(|RequestId(id)| Cow::Borrowed(id.as_str())),
            idempotency_key: borrowed(idempotency_key),
            what: HappeningShape::Created,
            before: None,
            after: None,
            was: None,
            is: None,
            beside: Vec::new(),
            customer: None,
            subject: None,
            step: None,
            held: None,
            holds: None,
            outcome: None,
            source: None,
        };
        match what {
            Happening::CustomerCreated { after, beside } => {
                shape.after = Some(after.as_ref().into());
                shape.beside = shapes(beside);
            }
            Happening::CustomerUpdated { before, after, beside } => {
                shape.what = HappeningShape::Updated;
                shape.beside = shapes(beside);
                (shape.before, shape.after) = (Some(before.as_ref().into()), Some(after.as_ref().into()));
            }
            Happening::CustomerDeleted { before, beside } => {
                shape.what = HappeningShape::Deleted;
                shape.beside = shapes(beside);
                shape.before = Some(before.as_ref().into());
            }
            Happening::Holding { customer: CustomerId(customer), subject, change } => {
                shape.customer = Some(Cow::Borrowed(customer));
                shape.subject = Some(Cow::Borrowed(subject.as_str()));
                (shape.what, shape.held, shape.holds) = match change {
                    ObjectChange::Created(holding) => (HappeningShape::HoldingCreated, None, Some(holding.into())),
                    ObjectChange::Updated { before, after } => {
                        (HappeningShape::HoldingUpdated, Some(before.into()), Some(after.into()))
                    }
                    ObjectChange::Deleted(holding) => (HappeningShape::HoldingDeleted, Some(holding.into()), None),
                };
            }
            Happening::Object { change, beside } => {
                (shape.what, shape.was, shape.is) = match change {
                    ObjectChange::Created(facts) => (HappeningShape::ObjectCreated, None, Some(facts.into())),
                    ObjectChange::Updated { before, after } => {
                        (HappeningShape::ObjectUpdated, Some(before.into()), Some(after.into()))
                    }
                    ObjectChange::Deleted(facts) => (HappeningShape::ObjectDeleted, Some(facts.into()), None),
                };
                shape.beside = shapes(beside);
            }
            Happening::Setup { step, intent } => {
                shape.what = HappeningShape::Setup;
                shape.step = Some(Cow::Borrowed(step.as_str()));
                shape.is = Some(FactsShape::SetupIntent(Box::new(intent.as_ref().into())));
            }
            Happening::SourceSettled { outcome, source, customer } => {
                shape.what = HappeningShape::SourceSettled;
                shape.outcome = Some(Cow::Borrowed(outcome.as_str()));
                shape.source = Some(Box::new((&**source).into()));
                shape.customer = customer.as_ref().map(|CustomerId(id)| Cow::Borrowed(id.as_str()));
            }
            Happening::CashArrived { customer } => {
                shape.what = HappeningShape::CashArrived;
                shape.after = Some(customer.as_ref().into());
            }
        }
        shape
    }
}

fn shapes(beside: &[Facts]) -> Vec<FactsShape<'_>> {
    beside.iter().map(FactsShape::from).collect()
}

impl EventShape<'_> {
    fn into_event(self, sequence: i64) -> Result<Event, Unreadable> {
        let EventShape {
            id,
            created,
            request,
            idempotency_key,
            what,
            before,
            after,
            was,
            is,
            beside,
            customer,
            subject,
            step,
            held,
            holds,
            outcome,
            source,
        } = self;
        let state = |shape: Option<CustomerShape<'_>>| -> Result<Box<Customer>, Unreadable> {
            Ok(Box::new(shape.ok_or(Unreadable::UnknownWord("state"))?.try_into()?))
        };
        let facts = |shape: Option<FactsShape<'_>>| -> Result<Facts, Unreadable> {
            shape.ok_or(Unreadable::UnknownWord("state"))?.try_into()
        };
        let beside: Vec<Facts> = beside.into_iter().map(Facts::try_from).collect::<Result<_, _>>()?;
        let holding = |shape: Option<HoldingShape<'_>>| -> Result<Holding, Unreadable> {
            shape.ok_or(Unreadable::UnknownWord("state"))?.try_into()
        };
        let settled = |customer: Option<Text<'_>>| -> Result<Happening, Unreadable> {
            Ok(Happening::SourceSettled {
                outcome: word("outcome", &outcome.unwrap_or_default(), Outcome::named)?,
                source: Box::new(Source::try_from(*source.ok_or(Unreadable::UnknownWord("state"))?)?),
                customer: owned(customer).map(CustomerId),
            })
        };
        let of_customer =
            |customer: Option<Text<'_>>, change: ObjectChange<Holding>| -> Result<Happening, Unreadable> {
                let customer = customer.ok_or(Unreadable::UnknownWord("customer"))?;
                let subject = word("subject", &subject.unwrap_or_default(), Subject::named)?;
                Ok(Happening::Holding { customer: CustomerId(customer.into_owned()), subject, change })
            };
        let what = match what {
            HappeningShape::Created => Happening::CustomerCreated { after: state(after)?, beside },
            HappeningShape::Updated => {
                Happening::CustomerUpdated { before: state(before)?, after: state(after)?, beside }
            }
            HappeningShape::Deleted => Happening::CustomerDeleted { before: state(before)?, beside },
            HappeningShape::ObjectCreated => Happening::Object { change: ObjectChange::Created(facts(is)?), beside },
            HappeningShape::ObjectUpdated => {
                let change = ObjectChange::Updated { before: facts(was)?, after: facts(is)? };
                Happening::Object { change, beside }
            }
            HappeningShape::ObjectDeleted => Happening::Object { change: ObjectChange::Deleted(facts(was)?), beside },
            HappeningShape::HoldingCreated => of_customer(customer, ObjectChange::Created(holding(holds)?))?,
            HappeningShape::HoldingUpdated => {
                of_customer(customer, ObjectChange::Updated { before: holding(held)?, after: holding(holds)? })?
            }
            HappeningShape::HoldingDeleted => of_customer(customer, ObjectChange::Deleted(holding(held)?))?,
            HappeningShape::Setup => {
                let step = word("step", &step.unwrap_or_default(), SetupStep::named)?;
                let intent = SetupIntent::try_from(facts(is)?).map_err(|_| Unreadable::UnknownWord("state"))?;
                Happening::Setup { step, intent: Box::new(intent) }
            }
            HappeningShape::SourceSettled => settled(customer)?,
            HappeningShape::CashArrived => Happening::CashArrived { customer: state(after)? },
        };
        Ok(Event {
            sequence,
            id: EventId(id.into_owned()),
            created: Time(created),
            cause: Cause { request: owned(request).map(RequestId), idempotency_key: owned(idempotency_key) },
            what,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::{EventBody, read_event, write_event};
    use crate::domain::event::{Cause, Event, Happening, ObjectChange, Subject};
    use crate::domain::ids::{CustomerId, EventId, RequestId};
    use crate::domain::setup_intent::SetupStep;
    use crate::domain::source::Outcome;
    use crate::domain::time::Time;
    use crate::store::record::customer::tests::customers;
    use crate::store::record::facts::tests::facts;
    use crate::store::record::holding::tests::holdings;
    use crate::store::record::setup_intent::tests::setup_intents;
    use crate::store::record::source::tests::sources;

    fn check(cause: &Cause, what: Happening) {
        let id = EventId("evt_1".into());
        let body = write_event(EventBody { id: &id, created: Time(9), cause, what: &what });
        let event = Event { sequence: 3, id, created: Time(9), cause: cause.clone(), what };
        assert_eq!(read_event(3, &body), Ok(event));
    }

    proptest! {
        #[test]
        fn every_event_is_read_as_it_was_written(
            before in customers(),
            after in customers(),
            beside in vec(facts(), 0..3),
        ) {
            let (before, after) = (Box::new(before), Box::new(after));
            let asked = Cause { request: Some(RequestId("req_1".into())), idempotency_key: Some("key".into()) };
            check(&Cause::default(), Happening::CustomerCreated { after: after.clone(), beside: beside.clone() });
            check(&Cause::default(), Happening::CashArrived { customer: after.clone() });
            check(&asked, Happening::CustomerUpdated { before: before.clone(), after, beside: beside.clone() });
            check(&asked, Happening::CustomerDeleted { before, beside });
        }

        #[test]
        fn every_event_of_an_object_is_read_as_it_was_written(before in facts(), after in facts(), other in facts()) {
            let changes = [
                ObjectChange::Created(after.clone()),
                ObjectChange::Updated { before: before.clone(), after },
                ObjectChange::Deleted(before),
            ];
            for change in changes {
                check(&Cause::default(), Happening::Object { change, beside: vec![other.clone()] });
            }
        }

        #[test]
        fn every_step_of_a_setup_intent_is_read_as_it_was_written(
            intent in setup_intents(),
            step in select(SetupStep::ALL),
        ) {
            check(&Cause::default(), Happening::Setup { step, intent: Box::new(intent) });
        }

        #[test]
        fn every_event_of_a_holding_is_read_as_it_was_written(
            before in holdings(),
            after in holdings(),
            subject in select(Subject::ALL),
        ) {
            let changes = [
                ObjectChange::Created(after.clone()),
                ObjectChange::Updated { before: before.clone(), after },
                ObjectChange::Deleted(before),
            ];
            for change in changes {
                let customer = CustomerId("cus_1".into());
                check(&Cause::default(), Happening::Holding { customer, subject, change });
            }
        }
    }

    proptest! {
        #[test]
        fn every_end_of_a_wait_is_read_as_it_was_written(source in sources(), outcome in select(Outcome::ALL)) {
            for customer in [None, Some(CustomerId("cus_1".into()))] {
                let source = Box::new(source.clone());
                check(&Cause::default(), Happening::SourceSettled { outcome, source, customer });
            }
        }
    }

    #[test]
    fn bodies_that_were_kept_are_read() {
        let customer = r#"{"id":"cus_1","version":1,"created":5,"updated":5,"prefix":"A1B2C3D4"}"#;
        let coupon = r#"{"coupon":{"id":"A","serial":"coupon_1","created":5,"percent":2500,"duration":"once"}}"#;
        let source = concat!(
            r#"{"id":"src_1","created":5,"type":"giropay","status":"chargeable","usage":"single_use","amount":1099,"#,
            r#""currency":"eur","client_secret":"src_client_secret_1","owner":{"name":"Jenny"},"#,
            r#""redirect":{"return_url":"https://a.co","origin":"http://b.co","status":"succeeded"}}"#,
        );
        let code =
            r#"{"promotion_code":{"id":"promo_1","created":5,"code":"FALL","coupon":"A","coupon_serial":"coupon_1"}}"#;
        let having = r#"{"id":"cus_1","version":1,"created":5,"updated":5,"prefix":"A1B2C3D4","discount":{"id":"di_1","coupon":"A","coupon_serial":"coupon_1","promotion_code":"promo_1","start":5,"end":9}}"#;
        let held = r#"{"discount":{"discount":{"id":"di_1","coupon":"A","coupon_serial":"coupon_1","start":5},"coupon":{"id":"A","serial":"coupon_1","created":5,"percent":2500,"duration":"once"}}}"#;
        for what in [
            format!(r#""what":"customer.updated","before":{customer},"after":{having},"beside":[{coupon}]"#),
            format!(r#""what":"holding.created","customer":"cus_1","subject":"discount","holds":{held}"#),
            format!(r#""request":"req_1","what":"customer.created","after":{customer}"#),
            format!(r#""idempotency_key":"key","what":"customer.updated","before":{customer},"after":{customer}"#),
            format!(r#""what":"object.deleted","was":{coupon}"#),
            format!(r#""what":"cash.arrived","after":{customer}"#),
            format!(r#""what":"source.settled","customer":"cus_1","outcome":"chargeable","source":{source}"#),
            format!(r#""what":"object.updated","was":{code},"is":{code},"beside":[{coupon}]"#),
        ] {
            let body = format!(r#"{{"v":1,"id":"evt_1","created":9,{what}}}"#);
            let Event { sequence: _, id, created, cause, what } = read_event(1, &body).unwrap();
            assert_eq!(write_event(EventBody { id: &id, created, cause: &cause, what: &what }), body);
        }
    }

    #[test]
    fn an_event_without_its_state_is_refused() {
        for what in ["customer.updated", "object.updated", "cash.arrived", "setup", "source.settled"] {
            let body = format!(r#"{{"v":1,"id":"evt_1","created":1,"what":"{what}"}}"#);
            assert!(read_event(1, &body).is_err(), "{what}");
        }
    }
}
