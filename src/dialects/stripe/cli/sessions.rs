//! `POST /v1/stripecli/sessions`: what the CLI asks for before it connects.

use std::sync::Arc;

use hyper::header::{HOST, HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::super::failure::{Names, Refusal};
use super::super::lists::{TEXT, row};
use super::super::params::{self, Kind, Param, Shape};
use super::super::versions::{NEWEST, Version};
use super::super::{Answer, Call, Plan};
use super::SUBSCRIBE;
use super::filters::{self, Filters};
use super::ticket::{Feature, Ticket};
use crate::app::Pass;
use crate::domain::account::Space;
use crate::domain::ids::crockford;
use crate::domain::webhook::Salt;
use crate::http::json::Object;
use crate::secrets_key::SecretsKey;

/// By what proxies say how a request came to them.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// How long the id of a session can be connected with. Its connection goes on; the CLI then asks for another session.
const LIFE_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;
/// After how many seconds the CLI opens its connection anew.
const RECONNECT_SECONDS: i64 = 600;
/// The most characters of the name of a machine.
const MAX_DEVICE: usize = 200;

/// What a session is asked for with.
#[derive(Default)]
pub struct Create {
    device: String,
    features: Vec<String>,
    filters: Option<String>,
    forward_to: Option<String>,
}

/// The parameters of `POST /v1/stripecli/sessions`: github.com/stripe/stripe-cli, `pkg/stripeauth/client.go`.
pub const CREATE: &[Param<Create>] = &[
    row("device_name", Kind::Value(&Shape::Text(MAX_DEVICE), |create, value| create.device = value.text())),
    row("filters", Kind::Value(&Shape::Text(filters::MAX_TEXT), |create, value| create.filters = Some(value.text()))),
    // Events of connected accounts are told to sessions of those accounts, and there are no thin events: nothing will go
    // to these, and the CLI names them whenever it forwards at all.
    row("forward_connect_to_url", Kind::Value(&TEXT, |_, _| {})),
    row("forward_thin_connect_to_url", Kind::Value(&TEXT, |_, _| {})),
    row("forward_thin_to_url", Kind::Value(&TEXT, |_, _| {})),
    row("forward_to_url", Kind::Value(&TEXT, |create, value| create.forward_to = Some(value.text()))),
    Param {
        required: true,
        ..row(
            "websocket_features",
            Kind::Value(&Shape::List(&TEXT, 2), |create, value| create.features = value.texts()),
        )
    },
];

/// `POST /v1/stripecli/sessions`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Create { device, features, filters, forward_to } = params::read(CREATE, &call.given, &call.version)?;
    let feature = match features.as_slice() {
        [one] => Feature::asked(one),
        _ => None,
    };
    let feature = feature.ok_or_else(|| Refusal::choice("websocket_features", &["webhooks", "request_logs"]))?;
    let filters = match (feature, filters) {
        (_, None) => Filters::default(),
        (Feature::Webhooks, Some(_)) => return Err(Refusal::unsupported_parameter("filters")),
        (Feature::RequestLogs, Some(text)) => Filters::parse(&text).ok_or_else(Refusal::websocket_filters)?,
    };
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).ok_or_else(Refusal::no_host)?;
    // Behind a proxy that speaks TLS, which says so, only TLS is spoken to the CLI.
    let scheme = if is_behind_tls(&call.headers) { "wss" } else { "ws" };
    let url = format!("{scheme}://{host}{SUBSCRIBE}");
    if call.app.secrets_key().is_none() {
        return Err(Refusal::no_sessions());
    }
    let mut random = [0; 16];
    call.app.ids().random(&mut random);
    let (owner, account) = (call.key.account.clone(), call.account.id.clone());
    let pass = Pass { key: call.key.digest, owner, account, mode: call.account.mode };
    let ticket = Ticket {
        name: format!("cliws_{}", crockford(u128::from_be_bytes(random))),
        pass,
        feature,
        since: 0,
        began: call.now,
        expires: call.now.plus_millis(LIFE_MILLIS),
        device,
        forward_to,
        filters,
    };
    Ok(Plan::look(Names::BY_PATH, move |call, read| {
        let newest = read.newest(&[call.account.space])?;
        let ticket = Ticket { since: newest.first().copied().unwrap_or(0), ..ticket.clone() };
        let key = call.app.secrets_key().ok_or_else(Refusal::no_sessions)?;
        Ok(Answer::of(object(&ticket, call, key, &url).into()))
    }))
}

/// Whether the request came to a proxy by TLS. Of several proxies the first has met the caller.
fn is_behind_tls(headers: &HeaderMap) -> bool {
    let said = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}

fn object(ticket: &Ticket, call: &Call, key: &SecretsKey, url: &str) -> Object {
    Object::new()
        .and("display_connect_filter_warning", ticket.filters.are_about_accounts())
        .and("default_version", Version::of_account(&call.account).name)
        .and("latest_version", NEWEST)
        .and("reconnect_delay", RECONNECT_SECONDS)
        .and("secret", secret(key, call.account.space).to_string())
        .and("websocket_authorized_feature", ticket.feature.granted())
        .and("websocket_id", ticket.to_text(&|said| seal(key, said)))
        .and("websocket_url", url.to_owned())
}

/// The secret that what sessions of an account hear is signed with: the same for all of them, as the CLI's is.
pub fn secret(key: &SecretsKey, space: Space) -> Zeroizing<String> {
    let salt = Sha256::new().chain_update("cusp cli session\0").chain_update(space.0.to_be_bytes()).finalize();
    key.webhook_secret(&Salt(salt.into()))
}

/// The seal of a session's id.
pub fn seal(key: &SecretsKey, said: &[u8]) -> [u8; 32] {
    key.seal("cli session", said)
}
