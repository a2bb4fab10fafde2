//! What a document says of a table that is made up.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{document, refusals};
use crate::domain::api_key::{Access, Resource};
use crate::http::Reply;
use crate::rest::call::{Answer, Asked, Call, Plan};
use crate::rest::formats::{COUNTRY, EMAIL};
use crate::rest::operation::{Intake, Operation, Says, says};
use crate::rest::read::Unknown;
use crate::rest::refusal::{Refusal, Voice};
use crate::rest::run::Api;
use crate::rest::shape::{Component, Data, Member, Shape, member};

struct Plain;

impl Voice for Plain {
    fn reply(&self, refusal: &Refusal, _: &str) -> Reply {
        Reply::new(StatusCode::from_u16(refusal.status()).unwrap(), "")
    }
}

static THING: Component = Component {
    name: "Thing",
    doc: "A thing.",
    shape: Shape::Object(&[
        member("id", Shape::text(1, 64)).needed().read_only().example("thing_1"),
        member("email", Shape::of(&EMAIL, 320)).needed().example("a@b"),
        member("price", Shape::Money(0, i64::MAX)).needed().doc("What it costs.").example("89.5"),
        member("kind", Shape::Word(&["one", "two"])).nullable().example("one"),
        member("country", Shape::of(&COUNTRY, 2)).nullable(),
        member("part", Shape::Component(&PART)).nullable(),
    ]),
};

static PART: Component = Component {
    name: "Part",
    doc: "A part.",
    shape: Shape::Object(&[member("data", Shape::Data(Data { max_bytes: 10, max_depth: 3 }))]),
};

static REFUSED: Component = Component {
    name: "Refused",
    doc: "Why not.",
    shape: Shape::Object(&[member("error", Shape::text(1, 99)).needed()]),
};

fn plan(_: &Arc<Call>, _: Asked) -> Result<Plan, Refusal> {
    Ok(Plan::look(|_, _| Ok(Answer::nothing())))
}

static OPERATIONS: [Operation; 3] = [
    Operation {
        method: Method::GET,
        path: "/things",
        name: "listThings",
        summary: "List things",
        tag: "Things",
        resource: Resource::Customer,
        access: Access::Read,
        parts: &[],
        query: &[
            member("kind", Shape::List(&Shape::Word(&["one"]), 1, 3)),
            member("limit", Shape::Whole(1, 100)).example("5"),
        ],
        takes: Intake::Nothing,
        says: &[says(200, "Things.", &Shape::List(&Shape::Component(&THING), 0, usize::MAX))],
        refuses: &[],
        tagged: false,
        plan,
    },
    Operation {
        method: Method::GET,
        path: "/things/{thing}",
        name: "getThing",
        summary: "Get a thing",
        tag: "Things",
        resource: Resource::Customer,
        access: Access::Read,
        parts: &[member("thing", Shape::text(1, 64))],
        query: &[],
        takes: Intake::Nothing,
        says: &[says(200, "The thing.", &Shape::Component(&THING))],
        refuses: &[],
        tagged: true,
        plan,
    },
    Operation {
        method: Method::DELETE,
        path: "/things/{thing}",
        name: "deleteThing",
        summary: "Delete a thing",
        tag: "Things",
        resource: Resource::Customer,
        access: Access::Write,
        parts: &[member("thing", Shape::text(1, 64))],
        query: &[],
        takes: Intake::OptionalBody(&Shape::Object(&[member("why", Shape::text(0, 9))])),
        says: &[Says { status: 204, doc: "It is gone.", shape: None, headers: &[] }],
        refuses: &[409],
        tagged: true,
        plan,
    },
];

const HEADERS: &[Member] = &[member("Tenant-ID", Shape::text(1, 64)).needed()];

fn api() -> Api {
    Api {
        name: "things",
        title: "Things",
        doc: "Things.",
        operations: &OPERATIONS,
        tags: &[("Things", "Things.")],
        servers: &[("/things/v1", "Everywhere.")],
        headers: HEADERS,
        refusal: &REFUSED,
        voice: &Plain,
        unknown: Unknown::Refused,
        unknown_query: Unknown::Ignored,
        lenient: false,
    }
}

fn made() -> Value {
    serde_json::from_slice(&document(&api()).to_bytes()).unwrap()
}

#[test]
fn a_document_tells_what_the_tables_say() {
    let made = made();
    assert_eq!(made["openapi"], "3.1.0");
    let paths: Vec<&String> = made["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/things", "/things/{thing}"]);
    let list = &made["paths"]["/things"]["get"];
    assert_eq!(list["operationId"], "listThings");
    assert_eq!(list["parameters"][0], json!({ "$ref": "#/components/parameters/TenantID" }));
    assert_eq!(
        list["parameters"][1],
        json!({ "name": "kind", "in": "query", "required": false, "style": "form", "explode": false,
            "schema": { "type": "array", "items": { "type": "string", "enum": ["one"] }, "minItems": 1, "maxItems": 3 } })
    );
    assert_eq!(list["parameters"][2]["example"], 5);
    let get = &made["paths"]["/things/{thing}"]["get"];
    let statuses: Vec<&String> = get["responses"].as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["200", "304", "400", "401", "403", "404", "412", "414", "429", "431", "500", "503"]);
    let delete = &made["paths"]["/things/{thing}"]["delete"];
    assert_eq!(delete["requestBody"]["required"], false);
    assert_eq!(delete["responses"]["204"].get("content"), None);
    assert_eq!(refusals(&api(), &OPERATIONS[2]), [400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 500, 503]);
}

#[test]
fn components_are_written_down_once() {
    let schemas = &made()["components"]["schemas"];
    let names: Vec<&String> = schemas.as_object().unwrap().keys().collect();
    assert_eq!(names, ["Part", "Refused", "Thing"]);
    let thing = &schemas["Thing"];
    assert_eq!(thing["required"], json!(["id", "email", "price"]));
    assert_eq!(thing["additionalProperties"], false);
    assert_eq!(thing["properties"]["id"]["readOnly"], true);
    assert_eq!(thing["properties"]["price"]["multipleOf"], 0.01);
    assert_eq!(thing["properties"]["kind"]["type"], json!(["string", "null"]));
    assert_eq!(thing["properties"]["kind"]["enum"], json!(["one", "two", null]));
    assert_eq!(thing["properties"]["country"]["enum"].as_array().unwrap().len(), 250);
    let part = &thing["properties"]["part"];
    assert_eq!(part, &json!({ "anyOf": [{ "$ref": "#/components/schemas/Part" }, { "type": "null" }] }));
}

#[test]
fn examples_are_put_together_from_their_parts() {
    let made = made();
    let content = &made["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(
        content["example"],
        json!([{ "id": "thing_1", "email": "a@b", "price": 89.5, "kind": "one", "part": {} }])
    );
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                found.extend(entries.get("$ref").and_then(Value::as_str).map(str::to_owned));
                entries.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let made = made();
    let mut found = Vec::new();
    references(&made, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        assert!(made.pointer(&reference[1..]).is_some(), "{reference}");
    }
    assert_eq!(document(&api()).to_bytes(), document(&api()).to_bytes());
}
