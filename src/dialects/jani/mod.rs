//! Jani's API: JSON in, JSON out, under `/api/v1`, with bearer keys. It is strict: what it does not know it refuses by name.
//! Its documents leave gaps; how they are filled is in docs/COMPATIBILITY.md.

pub mod addresses;
pub mod businesses;
pub mod customer_object;
pub mod customers;
pub mod events;
pub mod failure;
pub mod formats;
pub mod routes;

use std::sync::Arc;

use crate::app::App;
use crate::http::Dialect;
use crate::rest::{Api, Refusal, Unknown, Voice as _, X_REQUEST_ID};
use crate::settings::Language;
use failure::Words;

/// The API. A lenient one takes what the samples of its documents hold beside what their texts say: countries by name.
pub fn api(lenient: bool) -> Api {
    Api {
        name: "jani",
        title: "Jani's API, spoken by Cusp",
        doc: "Customers with their addresses and businesses, and what happened to them.",
        operations: routes::OPERATIONS,
        tags: routes::TAGS,
        servers: &[("/", "On every server."), ("/jani", "By its own mount, the same.")],
        headers: &[],
        refusal: &failure::REFUSAL,
        voice: &Words,
        unknown: Unknown::Refused,
        unknown_query: Unknown::Refused,
        lenient,
    }
}

/// The dialect over the program.
pub fn dialect(app: Arc<App>, lenient: bool) -> Dialect {
    let confess = |trouble, request: &str| Words.reply(&Refusal::Trouble(trouble), request).with(X_REQUEST_ID, request);
    Arc::new(api(lenient)).dialect(app, Language::Jani, None, confess)
}
