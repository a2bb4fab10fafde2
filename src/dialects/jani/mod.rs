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
use crate::http::shell::Page;
use crate::rest::{Api, Refusal, Unknown, Voice as _};
use failure::Words;

/// Where its document is.
pub const DOCUMENT: &str = "/openapi/jani.json";

/// The API. A lenient one takes what the samples of its documents hold beside what their texts say: countries by name.
pub fn api(lenient: bool) -> Api {
    Api {
        name: "jani",
        title: "Jani customers",
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
        // Where nobody else has `/v1`: some of its documents leave out `/api`.
        aliases: &[("/v1/", "/api/v1/")],
    }
}

/// The dialect over the program.
pub fn dialect(api: &Arc<Api>, app: Arc<App>) -> Dialect {
    let mount = |path: &str, _: &hyper::HeaderMap| {
        let own = path.starts_with("/jani/").then_some("/jani".len());
        own.or(path.starts_with("/api/v1/").then_some(0))
    };
    api.dialect(app, mount, None, |trouble, request| Words.reply(&Refusal::Trouble(trouble), request))
}

/// Its document, as it is at that path.
pub fn page(api: &Api, path: &str) -> Option<Page> {
    (path == DOCUMENT).then(|| api.page())
}
