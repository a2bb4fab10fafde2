//! The OpenAPI 3.1 document of Stripe's API as it is spoken here, in its newest version: requests from the parameter tables,
//! replies from the shapes of the objects. Older versions are not described.

mod objects;
mod operations;
mod requests;

use super::routes::OPERATIONS;
use super::versions::NEWEST;
use crate::http::json::{Json, Object};
use crate::rest::openapi::{Schemas, TOO_LONG, entity_tag, if_match, if_none_match, shown};
use crate::rest::shape::{Component, Shape};
use objects::rest::REFUSED;
use operations::{DESCRIBED, Described, Says};
use requests::{Told, Written};

/// The statuses of refusals, which any operation may answer, with what they mean: docs.stripe.com/api/errors.
const REFUSALS: [(u16, &str); 14] = [
    (400, "The request is wrong: something is missing, unknown or not as it should be."),
    (401, "There is no key, or it opens nothing."),
    (402, "The request is right, and was declined."),
    (403, "The key may not do this."),
    (404, "There is no such thing."),
    (405, "The URL takes other methods."),
    (408, "The body did not arrive in time."),
    (409, "It goes on beside another request with the same idempotency key, or with the same records."),
    (412, "The record has another version than the request wants."),
    (413, "The body is too large."),
    (415, "The body is of another media type."),
    (429, "There were too many requests."),
    (500, "Something broke here."),
    (503, "It cannot be done right now."),
];

const DOC: &str = "The customer side of Stripe's API, as Cusp speaks it. This document describes the newest version only: \
    requests that name an older one in `Stripe-Version` are answered in that one. Parameters are form-encoded: what is \
    in an object is written in brackets, as `address[city]`, what is in a list behind empty ones, as `expand[]`.";

/// The document.
pub fn document() -> Json {
    let mut schemas = Schemas::new(true, false);
    let mut paths = Object::new();
    let mut known: Vec<&'static str> = Vec::new();
    for operation in OPERATIONS {
        if known.contains(&operation.path) {
            continue;
        }
        known.push(operation.path);
        let mut item = Object::new();
        let parameters = parts(operation.path).map(part).collect::<Vec<Json>>();
        if !parameters.is_empty() {
            item.add("parameters", parameters);
        }
        for operation in OPERATIONS.iter().filter(|other| other.path == operation.path) {
            let name = format!("{} {}", operation.method, operation.path);
            let described = DESCRIBED.iter().find(|described| described.operation == name);
            let method = operation.method.as_str().to_ascii_lowercase();
            let tag = operation.resource.as_str();
            item.add(method, described.map(|described| told(described, tag, &mut schemas)));
        }
        paths.add(operation.path, item);
    }
    let refused = Object::new().and("schema", schemas.schema(&Shape::Component(&REFUSED)));
    let content = Object::new().and("application/json", refused);
    let mut responses = Object::new();
    for (status, doc) in REFUSALS {
        responses.add(refusal_name(status), Object::new().and("description", doc).and("content", content.clone()));
    }
    for (status, doc) in TOO_LONG {
        responses.add(refusal_name(status), Object::new().and("description", doc));
    }
    let bearer = Object::new().and("type", "http").and("scheme", "bearer").and("description", "`Bearer KEY`");
    let basic =
        Object::new().and("type", "http").and("scheme", "basic").and("description", "The key is the user name.");
    let components = Object::new()
        .and("schemas", schemas.into_components())
        .and("responses", responses)
        .and("securitySchemes", Object::new().and("bearer", bearer).and("basic", basic));
    let info =
        Object::new().and("title", "Stripe's API, spoken by Cusp").and("description", DOC).and("version", NEWEST);
    let server =
        |url: &'static str, doc: &'static str| Json::from(Object::new().and("url", url).and("description", doc));
    let needs = |scheme: &'static str| Json::from(Object::new().and(scheme, Vec::new()));
    Object::new()
        .and("openapi", "3.1.0")
        .and("info", info)
        .and("servers", vec![server("/", "Without `Tenant-ID`."), server("/stripe", "In any case.")])
        .and("security", vec![needs("bearer"), needs("basic")])
        .and("paths", paths)
        .and("components", components)
        .into()
}

/// The names of a path's variable parts.
fn parts(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn part(name: &'static str) -> Json {
    let schema = Object::new().and("type", "string").and("minLength", 1).and("maxLength", 5000);
    Object::new().and("name", name).and("in", "path").and("required", true).and("schema", schema).into()
}

fn told(described: &Described, tag: &'static str, schemas: &mut Schemas) -> Object {
    let Described { operation, id, summary, params, says } = described;
    let mut told = Object::new().and("operationId", *id).and("summary", *summary).and("tags", vec![tag.into()]);
    let params = params();
    let mut parameters: Vec<Json> = Vec::new();
    if operation.starts_with("POST ") {
        parameters.push(idempotency_key());
        told.add("requestBody", form(params));
    } else {
        parameters.extend(params.into_iter().map(in_query));
    }
    // Customers have versions.
    let (of_version, read) = (operation.ends_with("/v1/customers/{customer}"), operation.starts_with("GET "));
    parameters.extend(of_version.then(|| if_match().into()));
    parameters.extend((of_version && read).then(|| if_none_match().into()));
    told.add("parameters", parameters);
    let mut media = Object::new().and("schema", answer(says, schemas));
    if let Says::Any([only]) = says
        && let Some(example) = shown(&only.shape, false)
    {
        media.add("example", example);
    }
    let content = Object::new().and("application/json", media);
    let tagged = |told: Object| told.and("headers", Object::new().and("ETag", entity_tag()));
    let done = Object::new().and("description", "It is done.").and("content", content);
    let is_tagged = of_version && !operation.starts_with("DELETE ") || *operation == "POST /v1/customers";
    let mut responses = Object::new().and("200", if is_tagged && !read { tagged(done) } else { done });
    if of_version && read {
        responses.add("304", tagged(Object::new().and("description", "The caller has this version already.")));
    }
    for (status, _) in REFUSALS.into_iter().chain(TOO_LONG) {
        let reference = format!("#/components/responses/{}", refusal_name(status));
        responses.add(status.to_string(), Object::new().and("$ref", reference));
    }
    told.and("responses", responses)
}

fn refusal_name(status: u16) -> String {
    format!("Refused{status}")
}

fn idempotency_key() -> Json {
    let schema = Object::new().and("type", "string").and("minLength", 1).and("maxLength", 255);
    Object::new()
        .and("name", "Idempotency-Key")
        .and("in", "header")
        .and("description", "A request that is sent again with the same key is done once.")
        .and("required", false)
        .and("schema", schema)
        .into()
}

fn in_query(param: Told) -> Json {
    let Told { name, schema, required, form } = param;
    let told = Object::new().and("in", "query").and("required", required).and("schema", schema);
    let told = match form {
        Written::Plain => told.and("name", name),
        Written::Keys => told.and("name", name).and("style", "deepObject").and("explode", true),
        Written::Items => told.and("name", format!("{name}[]")).and("style", "form").and("explode", true),
    };
    told.into()
}

fn form(params: Vec<Told>) -> Object {
    let (mut properties, mut encoding) = (Object::new(), Object::new());
    let mut needed: Vec<Json> = Vec::new();
    for Told { name, schema, required, form } in params {
        properties.add(name, schema);
        needed.extend(required.then(|| name.into()));
        if form != Written::Plain {
            encoding.add(name, Object::new().and("style", "deepObject").and("explode", true));
        }
    }
    let is_needed = !needed.is_empty();
    let mut schema =
        Object::new().and("type", "object").and("properties", properties).and("additionalProperties", false);
    if is_needed {
        schema.add("required", needed);
    }
    let media = Object::new().and("schema", schema).and("encoding", encoding);
    let content = Object::new().and("application/x-www-form-urlencoded", media);
    Object::new().and("required", is_needed).and("content", content)
}

fn answer(says: &Says, schemas: &mut Schemas) -> Json {
    match says {
        Says::Any([only]) => schemas.schema(&Shape::Component(only)),
        Says::Any(kinds) => schemas.schema(&Shape::AnyOf(kinds)),
        Says::List(kinds) => page_of("list", kinds, schemas).into(),
        Says::Found(kind) => {
            let next = Object::new().and("type", vec!["string".into(), "null".into()]);
            let mut page = page_of("search_result", &[kind], schemas);
            if let Some(Json::Object(properties)) = page.get_mut("properties") {
                properties.add("next_page", next);
            }
            page.into()
        }
    }
}

/// The envelope of a list.
fn page_of(object: &'static str, kinds: &[&'static Component], schemas: &mut Schemas) -> Object {
    let items = match kinds {
        [only] => schemas.schema(&Shape::Component(only)),
        several => {
            let any = several.iter().map(|kind| schemas.schema(&Shape::Component(kind))).collect::<Vec<_>>();
            Object::new().and("anyOf", any).into()
        }
    };
    let typed = |name: &'static str| Object::new().and("type", name);
    let properties = Object::new()
        .and("object", typed("string").and("enum", vec![object.into()]))
        .and("data", typed("array").and("items", items))
        .and("has_more", typed("boolean"))
        .and("total_count", typed("integer"))
        .and("url", typed("string"));
    let needed = ["object", "data", "has_more", "url"].map(Json::from).to_vec();
    typed("object").and("properties", properties).and("required", needed).and("additionalProperties", false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::routes::OPERATIONS;
    use super::document;
    use super::operations::DESCRIBED;

    #[test]
    fn every_operation_is_described_once() {
        let known: BTreeSet<String> =
            OPERATIONS.iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect();
        let described: BTreeSet<String> = DESCRIBED.iter().map(|one| one.operation.to_owned()).collect();
        assert_eq!(known, described);
        assert_eq!(DESCRIBED.len(), described.len());
        let ids: BTreeSet<&str> = DESCRIBED.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), DESCRIBED.len());
    }

    #[test]
    fn the_document_tells_what_the_tables_say() {
        let made: Value = serde_json::from_slice(&document().to_bytes()).unwrap();
        let create = &made["paths"]["/v1/customers"]["post"];
        let body = &create["requestBody"]["content"]["application/x-www-form-urlencoded"];
        assert_eq!(body["schema"]["properties"]["balance"]["type"], "integer");
        assert_eq!(body["schema"]["additionalProperties"], false);
        assert_eq!(body["encoding"]["address"]["style"], "deepObject");
        // Older versions have it.
        assert_eq!(body["schema"]["properties"]["coupon"], Value::Null);
        let list = made["paths"]["/v1/customers"]["get"]["parameters"].as_array().unwrap();
        assert!(list.iter().any(|one| one["name"] == "expand[]" && one["explode"] == true), "{list:?}");
        assert!(list.iter().any(|one| one["name"] == "created" && one["style"] == "deepObject"), "{list:?}");
        let answer = &create["responses"]["200"]["content"]["application/json"];
        assert_eq!(answer["schema"]["$ref"], "#/components/schemas/customer");
        assert_eq!(answer["example"]["object"], "customer");
        assert_eq!(made["components"]["schemas"]["customer"]["additionalProperties"], false);
    }
}
