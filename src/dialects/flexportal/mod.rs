//! FlexPortal's API: the same customers as those see them who rent out devices to them. One request is three steps: read by
//! the tables of `routes`, run (a verb on the store), render. What it says when it refuses is in `failure`.

pub mod addresses;
pub mod customers;
pub mod data;
pub mod events;
pub mod failure;
pub mod orders;
pub mod pages;
pub mod routes;

use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName};

use crate::app::App;
use crate::domain::account::Account;
use crate::domain::api_key::ApiKey;
use crate::domain::money::Currency;
use crate::domain::time::Time;
use crate::domain::unit::TenantId;
use crate::http::json::Json;
use crate::http::{Dialect, mounts};
use crate::identity;
use crate::rest::{Api, Call, Fields, Flaw, Member, Refusal, Shape, Unknown, shape};
use crate::rfc3339;
use crate::settings::Openness;

/// The header that names the business unit: FlexPortal's pages on authentication.
pub const TENANT: HeaderName = HeaderName::from_static("tenant-id");

/// The headers of every request beside the key.
const HEADERS: &[Member] = &[shape::member("Tenant-ID", Shape::text(1, 200))
    .needed()
    .doc("The business unit that the request is for. It has to be the one that the key belongs to.")
    .example("case")];

/// The API over the program.
pub fn dialect(app: Arc<App>) -> (Dialect, Arc<Api>) {
    let api = Arc::new(Api {
        name: "flexportal",
        title: "Cusp: FlexPortal",
        doc: "Customers with their orders, rentals and payments, in the words of FlexPortal's API.",
        operations: routes::OPERATIONS,
        tags: routes::TAGS,
        servers: &[
            ("/flexportal", "On every address."),
            ("/", "Where requests have the header Tenant-ID, or where no other API is."),
        ],
        headers: HEADERS,
        refusal: &failure::REFUSAL,
        voice: &failure::Words,
        // Its clients send back what they have got, derived members included.
        unknown: Unknown::Ignored,
        unknown_query: Unknown::Ignored,
        lenient: false,
        aliases: &[],
    });
    let dialect = api.dialect(app, mount, None, failure::confess);
    (dialect, api)
}

fn mount(path: &str, headers: &HeaderMap) -> Option<usize> {
    const MOUNT: &str = "/flexportal";
    let below = |path: &str| path == "/v1" || path.starts_with("/v1/");
    if path.strip_prefix(MOUNT).is_some_and(below) {
        return Some(MOUNT.len());
    }
    (below(path) && headers.contains_key(TENANT)).then_some(0)
}

/// The business unit that a request names, if it is the account: by the name that it was given, and for developers by their
/// sandbox's.
fn tenant(headers: &HeaderMap, account: &Account, openness: Openness) -> Option<TenantId> {
    let mut named = headers.get_all(TENANT).iter();
    let (Some(value), None) = (named.next(), named.next()) else { return None };
    let tenant = TenantId::parse(value.to_str().ok()?)?;
    let is_sandbox = || openness == Openness::Dev && identity::sandbox(tenant.as_str()) == account.id;
    (account.unit.tenant.as_ref() == Some(&tenant) || is_sandbox()).then_some(tenant)
}

/// What is the same in everything that a reply shows.
#[derive(Clone)]
pub struct Shown {
    /// The business unit.
    pub tenant: String,
    /// Its currency.
    pub currency: Currency,
    /// When the request came.
    pub now: Time,
}

impl Shown {
    /// For a request that was let in.
    pub fn of(call: &Call) -> Shown {
        let tenant = tenant(&call.headers, &call.account, call.app.openness());
        Shown {
            tenant: tenant.map_or_else(String::new, |tenant| tenant.to_string()),
            currency: call.account.default_currency,
            now: call.now,
        }
    }

    /// An amount in minor units, as a number of major ones.
    pub fn money(&self, minor: i64) -> Json {
        Json::Decimal(minor, self.currency.decimals())
    }
}

/// Refuses a body that names another record than the path does.
pub fn require_same(body: &mut Fields, name: &'static str, id: &str) -> Result<(), Refusal> {
    match body.get::<String>(name) {
        Some(other) if other != id => {
            let sentence = "has to be the one that the path names, or left out";
            Err(Refusal::flaw(Flaw::rule(name, "custom", sentence)))
        }
        Some(_) | None => Ok(()),
    }
}

/// A moment.
pub fn time(at: Time) -> Json {
    rfc3339::text(at).into()
}

/// By which name a key signs what it makes.
pub fn signature(key: &ApiKey) -> String {
    match (&key.label, key.last4.as_str()) {
        (Some(label), _) => label.clone(),
        (None, "") => "api key".to_owned(),
        (None, last4) => format!("api key …{last4}"),
    }
}
