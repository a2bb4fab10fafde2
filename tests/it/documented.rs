//! The APIs that are tables, and which of their operations a request is for.

use std::sync::LazyLock;

use cusp::dialects::{flexportal, jani};
use cusp::http::mounts::{self, meant};
use cusp::http::routes::{Found, Routes};
use cusp::rest::{Api, Operation};
use cusp::settings::Language;
use hyper::Method;

/// An API that is tables.
pub struct Documented {
    pub api: Api,
    language: Language,
    routes: Routes<Operation>,
}

static APIS: LazyLock<[Documented; 2]> = LazyLock::new(|| {
    [(jani::api(false), Language::Jani), (flexportal::api(), Language::FlexPortal)].map(|(api, language)| {
        let routes = Routes::of(api.operations);
        Documented { api, language, routes }
    })
});

/// The API that a request is for, and the operation, if there is one.
pub fn asked(
    method: &str,
    target: &str,
    headers: &[(String, String)],
) -> Option<(&'static Documented, Option<&'static Operation>)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let meant = meant(None, path, headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("tenant-id")));
    let documented = APIS.iter().find(|documented| meant.api == mounts::Api::Of(documented.language))?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    match documented.routes.find(&method, &meant.path(path)) {
        Found::Operation(operation, _) => Some((documented, Some(operation))),
        Found::OtherMethod(_) | Found::Nothing => Some((documented, None)),
    }
}

/// All of them.
pub fn apis() -> impl Iterator<Item = &'static Api> {
    APIS.iter().map(|documented| &documented.api)
}

#[test]
fn tables_agree_with_their_paths() {
    for api in apis() {
        let mut names: Vec<&str> = api.operations.iter().map(|operation| operation.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}: two operations have one name", api.name);
        for operation in api.operations {
            let parts: Vec<&str> =
                operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
            let named: Vec<&str> = operation.parts.iter().map(|part| part.name).collect();
            assert_eq!(parts, named, "{}", operation.name);
            assert!(api.tags.iter().any(|(tag, _)| *tag == operation.tag), "{}: no such tag", operation.name);
        }
    }
}
