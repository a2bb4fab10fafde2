//! Holds every answer of an API that documents itself against its own tables: the status, the headers, and the body by its
//! shape, in which no key may be that the document does not name and none may be missing that it says is always there.

use std::sync::LazyLock;

use cusp::dialects::jani;
use cusp::http::given::{Unfit, Value};
use cusp::http::routes::{Found, Routes};
use cusp::rest::openapi::refusals;
use cusp::rest::{Api, Component, Member, Operation, Shape};
use hyper::Method;

use crate::http::Reply;

/// An API, and how its requests are told from others.
pub struct Documented {
    pub api: Api,
    routes: Routes<Operation>,
    /// The path without the mount, when a request with these headers is for it.
    path: fn(&str, &[(String, String)]) -> Option<String>,
}

static APIS: LazyLock<Vec<Documented>> = LazyLock::new(|| {
    let jani = jani::api(false);
    let routes = Routes::of(jani.operations);
    vec![Documented { api: jani, routes, path: janis }]
});

fn janis(path: &str, _: &[(String, String)]) -> Option<String> {
    let path = match path.strip_prefix("/jani") {
        Some(rest) if rest.starts_with("/v1/customers") => format!("/api{rest}"),
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    };
    path.starts_with("/api/v1/").then_some(path)
}

/// The API that a request is for, and the operation, if there is one.
pub fn asked(
    method: &str,
    target: &str,
    headers: &[(String, String)],
) -> Option<(&'static Documented, Option<&'static Operation>)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let (documented, path) = APIS.iter().find_map(|api| Some((api, (api.path)(path, headers)?)))?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    match documented.routes.find(&method, &path) {
        Found::Operation(operation, _) => Some((documented, Some(operation))),
        Found::OtherMethod(_) | Found::Nothing => Some((documented, None)),
    }
}

/// Every API that documents itself.
pub fn apis() -> impl Iterator<Item = &'static Api> {
    APIS.iter().map(|documented| &documented.api)
}

/// What the document of its API does not allow about a reply.
pub fn unexpected(method: &str, target: &str, headers: &[(String, String)], reply: &Reply) -> Vec<String> {
    let Some((documented, operation)) = asked(method, target, headers) else { return Vec::new() };
    let api = &documented.api;
    let mut found = Vec::new();
    if method == "HEAD" {
        return found;
    }
    if reply.header("X-Request-Id").is_none() && reply.status != 413 {
        found.push("the reply has no X-Request-Id".to_owned());
    }
    let Some(operation) = operation else {
        if ![401, 403, 404, 405, 429].contains(&reply.status) {
            found.push(format!("{} where nothing is", reply.status));
        }
        found.extend(unlike(&Shape::Component(api.refusal), reply));
        return found;
    };
    if let Some(says) = operation.says.iter().find(|says| says.status == reply.status) {
        if operation.tagged && reply.header("ETag").is_none() {
            found.push("the reply has no ETag".to_owned());
        }
        match says.shape {
            Some(shape) => found.extend(unlike(shape, reply)),
            None if reply.body.is_empty() => {}
            None => found.push("the document tells of no body".to_owned()),
        }
    } else if reply.status == 304 && operation.tagged && operation.reads() {
        if !reply.body.is_empty() {
            found.push("a 304 has no body".to_owned());
        }
    } else if refusals(api, operation).contains(&reply.status) {
        found.extend(unlike(&Shape::Component(api.refusal), reply));
    } else {
        found.push(format!("the document does not tell of {}", reply.status));
    }
    found.into_iter().map(|line| format!("{}: {line}", operation.name)).collect()
}

fn unlike(shape: &Shape, reply: &Reply) -> Vec<String> {
    if reply.header("Content-Type") != Some("application/json") {
        return vec!["the reply does not say that it is JSON".to_owned()];
    }
    match Value::of_json(&reply.body) {
        Ok(value) => {
            let mut found = Vec::new();
            differences(shape, &value, "", &mut found);
            found
        }
        Err(mistake) => vec![mistake.to_string()],
    }
}

fn differences(shape: &Shape, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut say = |what: String| found.push(format!("{path}: {what}"));
    match (shape, value) {
        (Shape::Component(Component { shape, .. }), value) => differences(shape, value, path, found),
        (Shape::Leniently { strict, .. }, value) => differences(strict, value, path, found),
        (Shape::Text(text), Value::Text(there)) => {
            let letters = there.chars().count();
            if !(text.min..=text.max).contains(&letters) {
                say(format!("{letters} characters"));
            }
            if let Some(format) = text.format
                && (format.read)(there).as_ref() != Some(there)
            {
                say(format!("{there:?} is not {}", format.wanted));
            }
        }
        (Shape::Word(words), Value::Text(there)) if words.contains(&there.as_str()) => {}
        (Shape::Whole(min, max), Value::Whole(there)) if (min..=max).contains(&there) => {}
        (Shape::Number(bounds), number @ (Value::Whole(_) | Value::Number(_))) => match number.parts(bounds.decimals) {
            Ok(parts) if (bounds.min..=bounds.max).contains(&parts) => {}
            other => say(format!("{number:?} comes to {other:?}")),
        },
        // Which currency it is in is not known here; none has more than three decimals.
        (Shape::Money(..), number @ (Value::Whole(_) | Value::Number(_))) => match number.parts(3) {
            Ok(_) | Err(Unfit::TooLarge) => {}
            Err(unfit) => say(format!("{number:?}: {unfit:?}")),
        },
        (Shape::Flag, Value::Flag(_)) | (Shape::Data(_), Value::Object(_)) => {}
        (Shape::Object(members), Value::Object(there)) => object(members, there, path, found),
        (Shape::Map(value), Value::Object(there)) => {
            for (key, there) in there {
                differences(value, there, &format!("{path}.{key}"), found);
            }
        }
        (Shape::List(item, min, max), Value::List(there)) => {
            if !(min..=max).contains(&&there.len()) {
                say(format!("{} items", there.len()));
            }
            for (at, there) in there.iter().enumerate() {
                differences(item, there, &format!("{path}.{at}"), found);
            }
        }
        (Shape::AnyOf(components), value) => {
            let fits = components.iter().any(|component| {
                let mut unfit = Vec::new();
                differences(&component.shape, value, path, &mut unfit);
                unfit.is_empty()
            });
            if !fits {
                say("it is none of those that it can be".to_owned());
            }
        }
        (shape, value) => say(format!("{value:?} where the document has {}", shape.wanted())),
    }
}

fn object(members: &[Member], there: &[(String, Value)], path: &str, found: &mut Vec<String>) {
    for member in members {
        let inner = format!("{path}.{}", member.name);
        match there.iter().find(|(key, _)| key == member.name) {
            None if member.needed => found.push(format!("{inner}: it is missing")),
            None => {}
            Some((_, Value::Null)) if member.nullable => {}
            Some((_, value)) => differences(&member.shape, value, &inner, found),
        }
    }
    for (key, _) in there {
        if !members.iter().any(|member| member.name == key) {
            found.push(format!("{path}.{key}: the document does not name it"));
        }
    }
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
