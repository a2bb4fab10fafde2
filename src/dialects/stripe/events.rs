//! Events: what happened, told in the account's version.

use std::sync::Arc;

use super::customers::{RETRIEVE, Retrieve};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{self, Kind, Param, Shape, Value};
use super::versions::Version;
use super::{
    Answer, Call, Halt, Plan, cash_balance, coupons, discounts, instruments, promotion_codes, setup_objects,
    source_objects, tax_ids, tokens, webhook_endpoints,
};
use crate::domain::account::{Account, Mode};
use crate::domain::api_key::{Access, Resource};
use crate::domain::coupon::Coupon;
use crate::domain::customer::Customer;
use crate::domain::discount::Redeemed;
use crate::domain::event::{Event, EventKind, Happening, ObjectChange, Subject};
use crate::domain::facts::Facts;
use crate::domain::holding::Holding;
use crate::domain::ids::{CouponSerial, CustomerId, EventId, WebhookEndpointId};
use crate::domain::page::{EventPage, Page, Span};
use crate::domain::problem::Problem;
use crate::domain::promotion_code::{Promotion, PromotionCode};
use crate::domain::time::Time;
use crate::engine::{Done, deliveries, events};
use crate::feed::RenderEvent;
use crate::http::json::{Json, Object, previous};
use crate::store::{Kept, Read};

/// How long an event can be retrieved: 30 days, docs.stripe.com/api/events.
const TOLD_FOR_MILLIS: i64 = 30 * 24 * 60 * 60 * 1000;
/// The most types that one list can be asked for.
const MAX_TYPES: usize = 20;

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    created: Span,
    delivery_success: Option<bool>,
    kind: Option<String>,
    kinds: Option<Vec<String>>,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/events`.
pub const LIST: &[Param<List>] = &[
    row("created", Kind::Value(&Shape::Span, |list, value| list.created = value.span())),
    row("delivery_success", Kind::Value(&Shape::Flag, |list, value| list.delivery_success = Some(value.flag()))),
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    lists::starting_after(),
    row("type", Kind::Value(&TEXT, |list, value| list.kind = Some(value.text()))),
    row("types", Kind::Value(&Shape::List(&TEXT, MAX_TYPES), |list, value| list.kinds = Some(Value::texts(value)))),
];

/// What sending once more asks for.
#[derive(Default)]
pub struct Retry {
    account: Option<String>,
    for_sessions: bool,
    webhook_endpoint: Option<WebhookEndpointId>,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/events/{id}/retry`, which no document of the API tells of: those that `stripe events resend`
/// of the official CLI sends.
pub const RETRY: &[Param<Retry>] = &[
    // The caller's own: whoever acts for a connected account says so in a header.
    row("account", Kind::Value(&TEXT, |input, value| input.account = Some(value.text()))),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("for_stripecli", Kind::Value(&Shape::Flag, |input, value| input.for_sessions = value.flag())),
    row(
        "webhook_endpoint",
        Kind::Value(&TEXT, |input, value| input.webhook_endpoint = Some(WebhookEndpointId(value.text()))),
    ),
];

/// `GET /v1/events/{id}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::NOTHING, &call.version)?;
    let id = EventId(call.part(0)?);
    Ok(Plan::look(Names::BY_PATH, move |call, read| {
        let event = event(read, call, &id)?;
        let pending = deliveries::open(read, &call.account, &event)?;
        Ok(Answer::of(object(&event, &call.account, Version::of_account(&call.account), pending)))
    }))
}

/// `POST /v1/events/{id}/retry`
pub fn retry(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Retry { account, for_sessions, webhook_endpoint, expand } = params::read(RETRY, &call.given, &call.version)?;
    Expansions::of_object(&expand, expand::NOTHING, &call.version)?;
    call.require(Resource::Event, Access::Read)?;
    if account.is_some_and(|id| id != call.account.id.as_str()) {
        return Err(Refusal::other_account());
    }
    let id = EventId(call.part(0)?);
    match (webhook_endpoint, for_sessions) {
        (Some(_), true) => Err(Refusal::exclusive(&["for_stripecli", "webhook_endpoint"])),
        (Some(endpoint), false) => Ok(retry_to(id, endpoint)),
        (None, true) => Ok(retry_to_sessions(id)),
        (None, false) => Err(Refusal::missing_parameter("webhook_endpoint")),
    }
}

/// Has an event told once more to the sessions of the official CLI that listen on this server.
fn retry_to_sessions(id: EventId) -> Plan {
    let mut told = false;
    Plan::look(Names::BY_PATH, move |call, read| {
        let event = event(read, call, &id)?;
        let pending = deliveries::open(read, &call.account, &event)?;
        // It may look more than once.
        if !std::mem::replace(&mut told, true) {
            call.app.asked_again().tell(call.account.space, || event.id.clone());
        }
        Ok(Answer::of(object(&event, &call.account, Version::of_account(&call.account), pending)))
    })
}

/// Has an event sent to an endpoint once more.
fn retry_to(id: EventId, endpoint: WebhookEndpointId) -> Plan {
    let names = Names { webhook_endpoint: Named::by("webhook_endpoint"), ..Names::BY_PATH };
    Plan::write(names, move |call, tx, ctx| {
        let event = event(tx, call, &id)?;
        let pending = deliveries::open(tx, &call.account, &event)? + 1;
        deliveries::resend(tx, ctx, &id, oldest(call), &endpoint)?;
        Ok(Answer::of(object(&event, &call.account, Version::of_account(&call.account), pending)))
    })
}

/// `GET /v1/events`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, mut created, delivery_success, kind, kinds } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    Expansions::of_list(&paging.expand, expand::NOTHING, false, &call.version)?;
    let kinds = match (kind, kinds) {
        (Some(_), Some(_)) => return Err(Refusal::exclusive(&["type", "types"])),
        (Some(one), None) => Some(matching(&one)),
        (None, Some(several)) => Some(several.iter().flat_map(|name| matching(name)).collect()),
        (None, None) => Some(matching("*")),
    };
    created.from = Some(created.from.map_or(oldest(call), |from| from.max(oldest(call))));
    let limit = paging.limit();
    Ok(Plan::scan(Names::BY_PATH, move |call, read| {
        let cursor = lists::placed(&anchor, |id| match read.event(call.account.space, &EventId(id.to_owned()))? {
            Some(event) if event.what.kind().is_stripes() => Ok(event.sequence),
            Some(_) | None => Err(Halt::from(Refusal::no_such("notification", id, lists::anchor_param(&anchor)))),
        })?;
        let page = EventPage { created, kinds: kinds.clone(), delivered: delivery_success, cursor, limit };
        let Page { items, has_more } = events::list(read, &call.account, &page)?;
        // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
        let pending: Vec<_> = items.iter().map(|event| deliveries::open(read, &call.account, event)).collect();
        let pending: Vec<usize> = pending.into_iter().collect::<Kept<_>>()?;
        let page = Page { items: items.into_iter().zip(pending).collect(), has_more };
        let item = |(event, pending): &(Event, usize)| {
            object(event, &call.account, Version::of_account(&call.account), *pending)
        };
        Ok(Answer::of(lists::envelope(&page, "/v1/events".to_owned(), item)))
    }))
}

/// An event that happened not too long ago and that Stripe's API has words for.
fn event(read: &mut dyn Read, call: &Call, id: &EventId) -> Done<Event> {
    let event = events::read(read, &call.account, id, oldest(call))?;
    if event.what.kind().is_stripes() { Ok(event) } else { Err(Problem::NoSuchEvent(id.clone()).into()) }
}

/// The kinds that a type names; a star stands for anything, and a type that never happens here names none.
fn matching(name: &str) -> Vec<EventKind> {
    let named = |kind: &EventKind| match name.strip_suffix('*') {
        Some(head) => kind.as_str().starts_with(head),
        None => kind.as_str() == name,
    };
    EventKind::ALL.iter().copied().filter(|kind| kind.is_stripes() && named(kind)).collect()
}

fn oldest(call: &Call) -> Time {
    call.now.plus_millis(-TOLD_FOR_MILLIS)
}

/// Events for others to pass on, in Stripe's words.
pub struct Teller;

impl RenderEvent for Teller {
    fn tells(&self, kind: EventKind) -> bool {
        kind.is_stripes()
    }

    fn knows(&self, version: &str) -> bool {
        Version::named(version).is_some()
    }

    fn render(&self, event: &Event, account: &Account, version: Option<&str>, pending: usize) -> Vec<u8> {
        let version = version.and_then(Version::named).unwrap_or_else(|| Version::of_account(account));
        object(event, account, version, pending).to_bytes()
    }
}

/// An event in that version, with so many webhooks that were not delivered yet. Who asks for it gets it in the account's
/// version, whatever the version of his request.
fn object(event: &Event, account: &Account, version: Version, pending: usize) -> Json {
    let Event { sequence: _, id, created, cause, what } = event;
    let (now, was) = match what {
        Happening::CustomerCreated { after: customer, beside }
        | Happening::CustomerDeleted { before: customer, beside } => {
            (customer_then(customer, beside, account, &version, *created), None)
        }
        Happening::CustomerUpdated { before, after, beside } => {
            let told = |customer| customer_then(customer, beside, account, &version, *created);
            (told(after), Some(told(before)))
        }
        Happening::Holding { customer, subject, change } => {
            let told = |holding, held| held_object(holding, *subject, held, account, &version, *created);
            match change {
                ObjectChange::Created(holding) => (told(holding, Some(customer)), None),
                ObjectChange::Updated { before, after } => {
                    (told(after, Some(customer)), Some(told(before, Some(customer))))
                }
                // What is detached is nobody's, and was the customer's; what is deleted still says whose it was.
                ObjectChange::Deleted(holding) if *subject == Subject::PaymentMethod => {
                    (told(holding, None), Some(told(holding, Some(customer))))
                }
                ObjectChange::Deleted(holding) => (told(holding, Some(customer)), None),
            }
        }
        Happening::Object { change, beside } => {
            let told = |facts| told(facts, beside, account, &version, *created);
            match change {
                ObjectChange::Created(facts) | ObjectChange::Deleted(facts) => (told(facts), None),
                ObjectChange::Updated { before, after } => (told(after), Some(told(before))),
            }
        }
        Happening::Setup { step: _, intent } => (setup_objects::intent(intent, account, &version).into(), None),
        Happening::SourceSettled { outcome: _, source, customer } => {
            (source_objects::object(source, customer.as_ref(), account, &version).into(), None)
        }
        Happening::CashArrived { customer } => (cash_balance::object(customer, account, &version).into(), None),
    };
    let was = was.map(|was| previous(&was, &now).unwrap_or_else(|| Object::new().into()));
    let mut data = Object::new().and("object", now);
    if let Some(was) = was {
        data.add("previous_attributes", was);
    }
    let request = Object::new()
        .and("id", cause.request.as_ref().map(|id| id.as_str().to_owned()))
        .and("idempotency_key", cause.idempotency_key.as_ref());
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "event")
        .and("api_version", version.name)
        .and("created", created.seconds())
        .and("data", data)
        .and("livemode", account.mode == Mode::Live)
        .and("pending_webhooks", i64::try_from(pending).unwrap_or(i64::MAX))
        .and("request", request)
        .and("type", what.kind().as_str())
        .into()
}

/// An object as it was at that moment, which is never filled in.
fn told(facts: &Facts, beside: &[Facts], account: &Account, version: &Version, then: Time) -> Json {
    match facts {
        Facts::Token(token) => tokens::object(token, account, version),
        Facts::SetupIntent(intent) => setup_objects::intent(intent, account, version).into(),
        Facts::SetupAttempt(attempt) => setup_objects::attempt(attempt, account, version).into(),
        Facts::Coupon(coupon) => coupons::object(coupon, account, then).into(),
        Facts::WebhookEndpoint(endpoint) => webhook_endpoints::object(endpoint, account).into(),
        Facts::PaymentMethod(loose) => instruments::method_object(&loose.method, None, account, version).into(),
        Facts::Source(loose) => source_objects::object(&loose.source, loose.former.as_ref(), account, version).into(),
        Facts::PromotionCode(code) => {
            let coupon = coupon_beside(beside, &code.coupon_serial);
            let promotion = Promotion { code: PromotionCode::clone(code), coupon };
            promotion_codes::object(&promotion, account, version, then, &Expansions::default(), None)
        }
        // Stripe's API has no words for it, and whoever asks in its words is not told of it.
        Facts::CustomerAddress(_)
        | Facts::Business(_)
        | Facts::Product(_)
        | Facts::Variant(_)
        | Facts::Asset(_)
        | Facts::Order(_)
        | Facts::RentalBook(_)
        | Facts::Rental(_)
        | Facts::RentalPayment(_)
        | Facts::BillingGroup(_) => Object::new().and("id", facts.id().to_owned()).into(),
        Facts::CashTransaction(transaction) => {
            cash_balance::transaction(transaction, account, version, &Expansions::default(), None)
        }
    }
}

/// The coupon of what an event tells of, as it was then.
fn coupon_beside(beside: &[Facts], serial: &CouponSerial) -> Coupon {
    let coupon = beside.iter().find_map(|facts| match facts {
        Facts::Coupon(coupon) if coupon.serial == *serial => Some(Coupon::clone(coupon)),
        _ => None,
    });
    coupon.expect("an event of what has a coupon is kept with that coupon")
}

/// Something that a customer holds, or held.
fn held_object(
    holding: &Holding,
    subject: Subject,
    customer: Option<&CustomerId>,
    account: &Account,
    version: &Version,
    then: Time,
) -> Json {
    let object = match holding {
        Holding::Instrument(instrument) if subject == Subject::PaymentMethod => {
            instruments::payment_method(instrument, customer, account, version)
        }
        Holding::Instrument(instrument) => instruments::source(instrument, customer, account, version),
        Holding::Discount(redeemed) => {
            customer.map(|customer| discounts::object(redeemed, customer, account, version, then))
        }
        Holding::TaxId(tax_id) => customer.map(|customer| tax_ids::object(tax_id, customer, account, version)),
    };
    object.expect("what a customer holds is told of only as what it is").into()
}

/// A customer as it was at that moment. A discount that was over by then and still on record is told, as in the events
/// before.
fn customer_then(customer: &Customer, beside: &[Facts], account: &Account, version: &Version, then: Time) -> Json {
    let redeemed = customer.discount.as_ref().map(|discount| {
        let coupon = coupon_beside(beside, &discount.coupon_serial);
        Redeemed { discount: discount.clone(), coupon }
    });
    expand::customer(&Shown::then(customer, redeemed, then), account, version, &Expansions::default())
}
