//! Webhook endpoints: docs.stripe.com/api/webhook_endpoints.

use std::sync::Arc;

use super::customer_object::free_data;
use super::customers::{RETRIEVE, Retrieve};
use super::expand::{self, Expansions};
use super::failure::{Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{self, Empty, Kind, Param, Shape};
use super::versions::Version;
use super::{Answer, Call, Halt, Plan, event_types, sealed};
use crate::domain::account::{Account, Mode};
use crate::domain::ids::WebhookEndpointId;
use crate::domain::metadata::MetadataChange;
use crate::domain::webhook::{EVERYTHING, NewWebhookEndpoint, WebhookEndpoint, WebhookEndpointChange};
use crate::engine::webhook_endpoints;
use crate::http::json::{Json, Object};
use crate::targets;

/// More types than there are.
const EVENTS: Shape = Shape::List(&TEXT, 500);

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    url: String,
    enabled_events: Vec<String>,
    api_version: Option<String>,
    connect: bool,
    description: Option<String>,
    metadata: MetadataChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/webhook_endpoints`.
pub const CREATE: &[Param<Create>] = &[
    row("api_version", Kind::Value(&TEXT, |input, value| input.api_version = Some(value.text()))),
    row("connect", Kind::Value(&Shape::Flag, |input, value| input.connect = value.flag())),
    Param {
        empty: Empty::Ignored,
        ..row("description", Kind::Value(&TEXT, |input, value| input.description = Some(value.text())))
    },
    Param {
        required: true,
        ..row("enabled_events", Kind::Value(&EVENTS, |input, value| input.enabled_events = value.texts()))
    },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata()))
    },
    Param { required: true, ..row("url", Kind::Value(&TEXT, |input, value| input.url = value.text())) },
];

/// What an update asks for.
#[derive(Default)]
pub struct Update {
    change: WebhookEndpointChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/webhook_endpoints/{webhook_endpoint}`.
pub const UPDATE: &[Param<Update>] = &[
    Param {
        empty: Empty::Unsets,
        ..row(
            "description",
            Kind::Value(&TEXT, |input, value| input.change.description = value.patch(|value| value.text())),
        )
    },
    row("disabled", Kind::Value(&Shape::Flag, |input, value| input.change.enabled = Some(!value.flag()))),
    row("enabled_events", Kind::Value(&EVENTS, |input, value| input.change.enabled_events = Some(value.texts()))),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.change.metadata = value.metadata()))
    },
    row("url", Kind::Value(&TEXT, |input, value| input.change.url = Some(value.text()))),
];

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/webhook_endpoints`.
pub const LIST: &[Param<List>] = &[lists::ending_before(), lists::expand(), lists::limit(), lists::starting_after()];

const NO_PARAMETERS: &[Param<()>] = &[];

/// `POST /v1/webhook_endpoints`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Create = params::read(CREATE, &call.given, &call.version)?;
    let Create { url, enabled_events, api_version, connect, description, metadata, expand } = input;
    Expansions::of_object(&expand, expand::NOTHING, &call.version)?;
    if connect {
        return Err(Refusal::connect());
    }
    if let Some(name) = &api_version
        && Version::named(name).is_none()
    {
        return Err(Refusal::webhook_version(name));
    }
    require_events(&enabled_events)?;
    require_url(call, &url)?;
    if call.app().secrets_key().is_none() {
        return Err(Refusal::no_secrets_key());
    }
    let wish = NewWebhookEndpoint { url, enabled_events, api_version, description, metadata };
    Ok(Plan::write(Names::BY_PATH, move |call, tx, ctx| {
        let made = webhook_endpoints::create(tx, ctx, wish.clone())?;
        let shown = shown(&made, Some(sealed::sealed(&made.salt)), &call.account);
        Ok(Answer::sealed(shown.into(), made.salt))
    }))
}

/// `GET /v1/webhook_endpoints/{webhook_endpoint}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::NOTHING, &call.version)?;
    let id = WebhookEndpointId(call.part(0)?);
    Ok(Plan::look(Names::BY_PATH, move |call, read| {
        let endpoint = webhook_endpoints::read(read, &call.account, &id)?;
        Ok(Answer::of(object(&endpoint, &call.account).into()))
    }))
}

/// `POST /v1/webhook_endpoints/{webhook_endpoint}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Update { change, expand } = params::read(UPDATE, &call.given, &call.version)?;
    Expansions::of_object(&expand, expand::NOTHING, &call.version)?;
    change.enabled_events.as_deref().map_or(Ok(()), require_events)?;
    change.url.as_deref().map_or(Ok(()), |url| require_url(call, url))?;
    let id = WebhookEndpointId(call.part(0)?);
    Ok(Plan::write(Names::BY_PATH, move |call, tx, ctx| {
        let endpoint = webhook_endpoints::update(tx, ctx, &id, change.clone())?;
        Ok(Answer::of(object(&endpoint, &call.account).into()))
    }))
}

/// `DELETE /v1/webhook_endpoints/{webhook_endpoint}`
pub fn delete(call: &Arc<Call>) -> Result<Plan, Refusal> {
    params::read(NO_PARAMETERS, &call.given, &call.version)?;
    let id = WebhookEndpointId(call.part(0)?);
    Ok(Plan::write(Names::BY_PATH, move |_, tx, ctx| {
        webhook_endpoints::delete(tx, ctx, &id)?;
        let deleted =
            Object::new().and("id", id.as_str().to_owned()).and("object", "webhook_endpoint").and("deleted", true);
        Ok(Answer::of(deleted.into()))
    }))
}

/// `GET /v1/webhook_endpoints`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    Expansions::of_list(&paging.expand, expand::NOTHING, false, &call.version)?;
    let limit = paging.limit();
    Ok(Plan::scan(Names::BY_PATH, move |call, read| {
        // An account has a handful.
        let every = webhook_endpoints::every(read, call.account.space)?.to_vec();
        let is = |endpoint: &WebhookEndpoint, id: &str| endpoint.id.as_str() == id;
        let page = lists::page_of(every, &anchor, limit, is, "webhook endpoint").map_err(Halt::from)?;
        let item = |endpoint: &WebhookEndpoint| object(endpoint, &call.account).into();
        Ok(Answer::of(lists::envelope(&page, "/v1/webhook_endpoints".to_owned(), item)))
    }))
}

/// Types of events that there are, or all of them.
fn require_events(names: &[String]) -> Result<(), Refusal> {
    if names.iter().any(|name| name == EVERYTHING) {
        return if names.len() == 1 { Ok(()) } else { Err(Refusal::everything_and_more()) };
    }
    match names.iter().position(|name| !event_types::is_known(name)) {
        Some(place) => Err(Refusal::event_type(place, &names[place])),
        // A list that was given and has nothing in it.
        None if names.is_empty() => Err(Refusal::empty("enabled_events")),
        None => Ok(()),
    }
}

/// Where webhooks can go. In test mode they need no TLS: docs.stripe.com/webhooks, "Your webhook endpoint must be an HTTPS
/// URL in live mode".
fn require_url(call: &Call, url: &str) -> Result<(), Refusal> {
    if !url.contains("://") {
        return Err(Refusal::webhook_url("An explicit scheme (such as https) must be provided"));
    }
    match targets::examine(call.app().targets(), url) {
        Err(refusal) => Err(Refusal::webhook_url(&refusal.to_string())),
        Ok(target) if call.account.mode == Mode::Live && !target.encrypted() => {
            Err(Refusal::webhook_url("webhooks of live mode are sent with TLS only, so it has to begin with https://"))
        }
        Ok(_) => Ok(()),
    }
}

/// A webhook endpoint: docs.stripe.com/api/webhook_endpoints/object. Every version says the same of it. Its secret is
/// shown only to who makes it.
pub fn object(endpoint: &WebhookEndpoint, account: &Account) -> Object {
    shown(endpoint, None, account)
}

fn shown(endpoint: &WebhookEndpoint, secret: Option<String>, account: &Account) -> Object {
    let WebhookEndpoint {
        id,
        created,
        url,
        enabled_events,
        api_version,
        description,
        metadata,
        enabled,
        salt: _,
        former: _,
    } = endpoint;
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "webhook_endpoint")
        .and("api_version", api_version.as_ref())
        .and("application", Json::Null)
        .and("created", created.seconds())
        .and("description", description.as_ref())
        .and("enabled_events", Json::List(enabled_events.iter().map(Json::from).collect()))
        .and("livemode", account.mode == Mode::Live)
        .and("metadata", free_data(metadata));
    if let Some(secret) = secret {
        object.add("secret", secret);
    }
    object.and("status", if *enabled { "enabled" } else { "disabled" }).and("url", url)
}

#[cfg(test)]
mod tests {
    use super::{CREATE, LIST, UPDATE};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(CREATE.is_sorted_by_key(|param| param.name));
        assert!(UPDATE.is_sorted_by_key(|param| param.name));
        assert!(LIST.is_sorted_by_key(|param| param.name));
    }
}
