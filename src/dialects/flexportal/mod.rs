//! FlexPortal's API: the same customers as those see them who rent out devices to them. One request is three steps: read by
//! the tables of `routes`, run (a verb on the store), render. What it says when it refuses is in `failure`.

pub mod addresses;
pub mod assets;
pub mod billing_groups;
pub mod catalogue_shapes;
pub mod customers;
pub mod events;
pub mod failure;
pub mod orders;
pub mod pages;
pub mod payments;
pub mod product_imports;
pub mod product_rows;
pub mod products;
pub mod routes;
pub mod subscription_quotes;
pub mod subscription_shapes;
pub mod subscriptions;
pub mod variants;

use std::sync::Arc;

use hyper::header::HeaderMap;

use crate::app::App;
use crate::domain::account::Account;
use crate::domain::api_key::ApiKey;
use crate::domain::money::Currency;
use crate::domain::time::Time;
use crate::domain::unit::TenantId;
use crate::http::Dialect;
use crate::http::json::Json;
use crate::http::mounts::TENANT_ID;
use crate::rest::{Api, Call, Fields, Flaw, Member, Refusal, Shape, Unknown, shape};
use crate::rfc3339;
use crate::settings::Language;

/// The headers of every request beside the key.
const HEADERS: &[Member] = &[shape::member("Tenant-ID", Shape::text(1, 200))
    .needed()
    .doc("The business unit that the request is for. It has to be the one that the key belongs to.")
    .example("case")];

/// The API.
pub fn api() -> Api {
    Api {
        name: "flexportal",
        title: "FlexPortal's API, spoken by Cusp",
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
    }
}

/// The dialect over the program.
pub fn dialect(app: Arc<App>) -> Dialect {
    Arc::new(api()).dialect(app, Language::FlexPortal, Some(product_imports::FILES), failure::confess)
}

/// The business unit that a request names, if the key's account is that one.
fn tenant<'a>(headers: &HeaderMap, account: &'a Account) -> Option<&'a TenantId> {
    let mut named = headers.get_all(TENANT_ID).iter();
    let (Some(value), None) = (named.next(), named.next()) else { return None };
    account.unit.tenant.as_ref().filter(|tenant| tenant.as_str().as_bytes() == value.as_bytes())
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
        Shown::at(&call.account, call.now)
    }

    /// At that moment.
    pub fn at(account: &Account, now: Time) -> Shown {
        let tenant = account.unit.tenant.as_ref();
        // Events are told of an account that nobody has made a unit, too.
        let tenant = tenant.map_or_else(|| account.id.to_string(), TenantId::to_string);
        Shown { tenant, currency: account.default_currency, now }
    }

    /// The same for amounts in another currency.
    pub fn in_currency(&self, currency: Currency) -> Shown {
        Shown { tenant: self.tenant.clone(), currency, now: self.now }
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
