//! The OpenAPI 3.1 document of an API, made from the tables that also read its requests.

use std::collections::BTreeMap;

use hyper::Method;

use super::idempotency::MAX_KEY;
use super::operation::{Intake, Operation, Says};
use super::read::Unknown;
use super::refusal::Refusal;
use super::run::Api;
use super::shape::{Component, Member, Number, Shape, Text};
use crate::domain::api_key::{Access, Resource};
use crate::http::Trouble;
use crate::http::given::Value;
use crate::http::json::{Json, Object};

/// The decimals that documents show amounts with: most currencies have so many.
const MONEY_DECIMALS: u32 = 2;

/// How a server refuses what it does not read to the end, without a body.
pub const TOO_LONG: [(u16, &str); 2] =
    [(414, "The URL is too long to be read."), (431, "The headers are too long, or too many, to be read.")];

/// The document.
pub fn document(api: &Api) -> Json {
    let mut maker = Maker { api, schemas: Schemas::new(api.unknown == Unknown::Refused, api.lenient) };
    let mut paths = Object::new();
    let mut known: Vec<&'static str> = Vec::new();
    for operation in api.operations {
        if known.contains(&operation.path) {
            continue;
        }
        known.push(operation.path);
        let mut item = Object::new();
        for operation in api.operations.iter().filter(|other| other.path == operation.path) {
            item.add(method(&operation.method), maker.operation(operation));
        }
        paths.add(operation.path, item);
    }
    let refusal = maker.component(api.refusal);
    let mut responses = Object::new();
    let statuses = all_refusals(api);
    for status in statuses {
        let media = Object::new().and("schema", refusal.clone());
        let content = Object::new().and("application/json", media);
        let headers = Object::new().and("X-Request-Id", reference("headers", "RequestId"));
        let response = Object::new().and("description", reason(status)).and("headers", headers).and("content", content);
        responses.add(refusal_name(status), response);
    }
    for (status, doc) in TOO_LONG {
        responses.add(refusal_name(status), Object::new().and("description", doc));
    }
    let bearer = Object::new()
        .and("type", "http")
        .and("scheme", "bearer")
        .and("description", "An API key: `Authorization: Bearer KEY`.");
    let headers = Object::new()
        .and("ETag", entity_tag())
        .and("RequestId", header("The id of the request.", Object::new().and("type", "string")).and("required", true));
    let parameters = shared_parameters(&mut maker);
    let components = Object::new()
        .and("schemas", maker.schemas.into_components())
        .and("responses", responses)
        .and("headers", headers)
        .and("parameters", parameters)
        .and("securitySchemes", Object::new().and("bearer", bearer));
    let servers = api.servers.iter().map(|(url, doc)| Object::new().and("url", *url).and("description", *doc).into());
    let tags = api.tags.iter().map(|(name, doc)| Object::new().and("name", *name).and("description", *doc).into());
    let info =
        Object::new().and("title", api.title).and("description", api.doc).and("version", env!("CARGO_PKG_VERSION"));
    Object::new()
        .and("openapi", "3.1.0")
        .and("info", info)
        .and("servers", servers.collect::<Vec<Json>>())
        .and("security", vec![Object::new().and("bearer", Vec::new()).into()])
        .and("tags", tags.collect::<Vec<Json>>())
        .and("paths", paths)
        .and("components", components)
        .into()
}

/// The statuses by which an operation may refuse, in their order.
pub fn refusals(api: &Api, operation: &Operation) -> Vec<u16> {
    let voice = api.voice;
    let mut causes = vec![
        Refusal::NoKey,
        Refusal::NoPermission { resource: Resource::Account, access: Access::Read },
        Refusal::Flaws(Vec::new()),
        Refusal::RateLimit { seconds: 1 },
        Refusal::Broken,
        Refusal::Busy,
    ];
    if !operation.parts.is_empty() {
        causes.push(Refusal::UnknownUrl);
    }
    match operation.takes {
        Intake::Nothing => {}
        Intake::Body(_) | Intake::Changes(_) | Intake::OptionalBody(_) | Intake::File(_) => causes.extend([
            Refusal::MediaType { taken: Vec::new() },
            Refusal::Trouble(Trouble::BodyTooLarge(0)),
            Refusal::Trouble(Trouble::BodyTooSlow),
        ]),
    }
    if !operation.reads() {
        causes.extend([Refusal::IdempotencyKeyInUse, Refusal::IdempotencyKeyReused]);
    }
    if operation.tagged {
        causes.push(Refusal::VersionMismatch);
    }
    let mut statuses: Vec<u16> = causes.iter().map(|cause| voice.status(cause)).collect();
    statuses.extend(operation.refuses);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

fn all_refusals(api: &Api) -> Vec<u16> {
    let mut statuses: Vec<u16> = api.operations.iter().flat_map(|operation| refusals(api, operation)).collect();
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

struct Maker<'a> {
    api: &'a Api,
    schemas: Schemas,
}

impl Maker<'_> {
    fn operation(&mut self, operation: &Operation) -> Object {
        let mut parameters: Vec<Json> = Vec::new();
        for header in self.api.headers {
            parameters.push(reference("parameters", &component_name(header.name)));
        }
        for part in operation.parts {
            parameters.push(self.parameter(&part.needed(), "path").into());
        }
        for member in operation.query {
            parameters.push(self.parameter(member, "query").into());
        }
        if !operation.reads() {
            parameters.push(reference("parameters", "IdempotencyKey"));
        }
        if operation.tagged {
            parameters.push(reference("parameters", "IfMatch"));
            if operation.reads() {
                parameters.push(reference("parameters", "IfNoneMatch"));
            }
        }
        let mut told = Object::new()
            .and("operationId", operation.name)
            .and("summary", operation.summary)
            .and("tags", vec![operation.tag.into()])
            .and("parameters", parameters);
        if let Some(body) = self.body(operation.takes) {
            told.add("requestBody", body);
        }
        let mut responses: BTreeMap<u16, Json> = BTreeMap::new();
        for says in operation.says {
            responses.insert(says.status, self.says(says, operation.tagged).into());
        }
        if operation.tagged && operation.reads() {
            let headers = Object::new().and("ETag", reference("headers", "ETag"));
            let told = Object::new().and("description", "The caller has this version already.").and("headers", headers);
            responses.insert(304, told.into());
        }
        for status in refusals(self.api, operation) {
            responses.insert(status, reference("responses", &refusal_name(status)));
        }
        for (status, _) in TOO_LONG {
            responses.insert(status, reference("responses", &refusal_name(status)));
        }
        let mut by_status = Object::new();
        for (status, response) in responses {
            by_status.add(status.to_string(), response);
        }
        told.add("responses", by_status);
        told
    }

    fn parameter(&mut self, member: &Member, place: &'static str) -> Object {
        let mut told = Object::new();
        match member.name.strip_suffix('*') {
            None => told.add("name", member.name),
            Some(beginning) => told.add("name", beginning.trim_end_matches('_')),
        }
        told.add("in", place);
        if !member.doc.is_empty() {
            told.add("description", member.doc);
        }
        told.add("required", member.needed);
        if member.name.ends_with('*') {
            // Any name that begins like that: the keys of an object, each as a parameter.
            let any = Object::new().and("type", "object").and("additionalProperties", text_schema());
            return told.and("style", "form").and("explode", true).and("schema", any);
        }
        if let Shape::List(..) = member.shape {
            told = told.and("style", "form").and("explode", false);
        }
        told.add("schema", self.schema(&member.shape));
        if let Some(example) = example(member, self.api.lenient) {
            told.add("example", example);
        }
        told
    }

    fn body(&mut self, takes: Intake) -> Option<Object> {
        let (shape, required) = match takes {
            Intake::Nothing => return None,
            Intake::Body(shape) | Intake::Changes(shape) => (shape, true),
            Intake::OptionalBody(shape) => (shape, false),
            Intake::File(taken) => {
                let mut content = Object::new();
                for media in taken {
                    let file = Object::new().and("type", "string").and("description", media.doc);
                    let schema = match media.part {
                        None => file,
                        Some(part) => Object::new()
                            .and("type", "object")
                            .and("properties", Object::new().and(part, file))
                            .and("required", vec![part.into()]),
                    };
                    content.add(media.name, Object::new().and("schema", schema));
                }
                return Some(Object::new().and("required", true).and("content", content));
            }
        };
        let mut media = Object::new().and("schema", self.schema(shape));
        if let Some(example) = shown(shape, self.api.lenient) {
            media.add("example", example);
        }
        let content = Object::new().and("application/json", media);
        Some(Object::new().and("required", required).and("content", content))
    }

    fn says(&mut self, says: &Says, tagged: bool) -> Object {
        let mut headers = Object::new().and("X-Request-Id", reference("headers", "RequestId"));
        if tagged {
            headers.add("ETag", reference("headers", "ETag"));
        }
        for member in says.headers {
            headers.add(member.name, header(member.doc, self.schema(&member.shape)));
        }
        let told = Object::new().and("description", says.doc).and("headers", headers);
        let Some(shape) = says.shape else { return told };
        let mut media = Object::new().and("schema", self.schema(shape));
        if let Some(example) = shown(shape, self.api.lenient) {
            media.add("example", example);
        }
        told.and("content", Object::new().and("application/json", media))
    }

    fn component(&mut self, component: &'static Component) -> Json {
        self.schemas.component(component)
    }

    fn schema(&mut self, shape: &Shape) -> Json {
        self.schemas.schema(shape)
    }
}

/// Schemas made from shapes, with the components that they refer to.
pub struct Schemas {
    /// Objects have no other members than those of their shapes.
    closed: bool,
    /// The server takes what strict reading refuses.
    lenient: bool,
    made: BTreeMap<&'static str, Json>,
}

impl Schemas {
    /// None yet.
    pub fn new(closed: bool, lenient: bool) -> Schemas {
        Schemas { closed, lenient, made: BTreeMap::new() }
    }

    /// The components that were referred to, by their names.
    pub fn into_components(self) -> Object {
        let mut schemas = Object::new();
        for (name, schema) in self.made {
            schemas.add(name, schema);
        }
        schemas
    }

    /// A reference to a component, whose schema is written down once.
    pub fn component(&mut self, component: &'static Component) -> Json {
        if !self.made.contains_key(component.name) {
            // One that is part of itself finds it.
            self.made.insert(component.name, Json::Null);
            let schema = self.schema(&component.shape);
            let schema = match schema {
                Json::Object(mut told) => {
                    told.add("description", component.doc);
                    Json::Object(told)
                }
                other => other,
            };
            self.made.insert(component.name, schema);
        }
        reference("schemas", component.name)
    }

    /// The schema of a shape.
    pub fn schema(&mut self, shape: &Shape) -> Json {
        let typed = |name: &'static str| Object::new().and("type", name);
        match shape {
            Shape::Text(text) => self::text(text).into(),
            Shape::Word(words) => {
                let words = words.iter().map(|word| Json::from(*word)).collect::<Vec<_>>();
                typed("string").and("enum", words).into()
            }
            Shape::Whole(min, max) => bounded(typed("integer"), Number { min: *min, max: *max, decimals: 0 }).into(),
            Shape::Number(bounds) => numeric(*bounds).into(),
            Shape::Money(min, max) => numeric(Number { min: *min, max: *max, decimals: MONEY_DECIMALS }).into(),
            Shape::Flag => typed("boolean").into(),
            Shape::Object(members) => {
                let mut properties = Object::new();
                for member in *members {
                    properties.add(member.name, self.member(member));
                }
                let mut told = typed("object").and("properties", properties);
                let needed = members.iter().filter(|member| member.needed).map(|member| member.name.into());
                let needed: Vec<Json> = needed.collect();
                if !needed.is_empty() {
                    told.add("required", needed);
                }
                if self.closed {
                    told.add("additionalProperties", false);
                }
                told.into()
            }
            Shape::Component(component) => self.component(component),
            Shape::List(item, min, max) => {
                let mut told = typed("array").and("items", self.schema(item));
                if *min > 0 {
                    told.add("minItems", *min as i64);
                }
                if *max < usize::MAX {
                    told.add("maxItems", *max as i64);
                }
                told.into()
            }
            Shape::Map(value) => typed("object").and("additionalProperties", self.schema(value)).into(),
            Shape::Data(_) => {
                typed("object").and("additionalProperties", true).and("propertyNames", text_schema()).into()
            }
            Shape::Any(_) => Object::new().into(),
            Shape::AnyOf(components) => {
                let any = components.iter().map(|component| self.component(component)).collect::<Vec<_>>();
                Object::new().and("anyOf", any).into()
            }
            Shape::Leniently { strict, lenient } => self.schema(if self.lenient { lenient } else { strict }),
        }
    }

    fn member(&mut self, member: &Member) -> Json {
        let schema = self.schema(&member.shape);
        let mut told = match schema {
            // What may be anything may be `null`.
            Json::Object(told) if member.nullable && !matches!(member.shape, Shape::Any(_)) => nullable(told),
            Json::Object(told) => told,
            other => return other,
        };
        if !member.doc.is_empty() {
            told.add("description", member.doc);
        }
        if member.read_only {
            told.add("readOnly", true);
        }
        if member.example.is_some()
            && let Some(example) = example(member, self.lenient)
        {
            told.add("examples", vec![example]);
        }
        told.into()
    }
}

/// The schema that takes `null` as well.
fn nullable(mut schema: Object) -> Object {
    let null = || Object::new().and("type", "null").into();
    let Some(Json::Text(name)) = schema.get("type").cloned() else {
        // A reference, or a choice.
        return Object::new().and("anyOf", vec![schema.into(), null()]);
    };
    schema.set("type", vec![Json::Text(name), "null".into()]);
    if let Some(Json::List(words)) = schema.get_mut("enum") {
        words.push(Json::Null);
    }
    schema
}

fn text(text: &Text) -> Object {
    let Text { min, max, trimmed, format } = text;
    let mut told = Object::new().and("type", "string");
    if let Some(words) = format.and_then(|format| format.words) {
        return told.and("enum", words().into_iter().map(Json::from).collect::<Vec<_>>());
    }
    if *min > 0 {
        told.add("minLength", *min as i64);
    }
    if *max < usize::MAX {
        told.add("maxLength", *max as i64);
    }
    match format {
        Some(format) => {
            if let Some(name) = format.name {
                told.add("format", name);
            }
            if let Some(pattern) = format.pattern {
                told.add("pattern", pattern);
            }
        }
        // A database keeps no NUL; where spaces are left out, something else has to be there.
        None if *trimmed && *min > 0 => told.add("pattern", "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"),
        None => told.add("pattern", "^[^\\u0000]*$"),
    }
    told
}

fn text_schema() -> Object {
    text(&Text { min: 0, max: usize::MAX, trimmed: false, format: None })
}

fn numeric(bounds: Number) -> Object {
    let step = Json::Decimal(1, bounds.decimals);
    bounded(Object::new().and("type", "number"), bounds).and("multipleOf", step)
}

fn bounded(mut told: Object, bounds: Number) -> Object {
    let Number { min, max, decimals } = bounds;
    if min > i64::MIN {
        told.add("minimum", Json::Decimal(min, decimals));
    }
    if max < i64::MAX {
        told.add("maximum", Json::Decimal(max, decimals));
    }
    told
}

/// The example of a member, if it or its parts have one.
fn example(member: &Member, lenient: bool) -> Option<Json> {
    let Some(example) = member.example else { return shown(&member.shape, lenient) };
    let is_text = match &member.shape {
        Shape::Text(_) | Shape::Word(_) => true,
        Shape::Leniently { strict, .. } => matches!(strict, Shape::Text(_) | Shape::Word(_)),
        Shape::Component(component) => matches!(component.shape, Shape::Text(_) | Shape::Word(_)),
        Shape::Whole(..)
        | Shape::Number(_)
        | Shape::Money(..)
        | Shape::Flag
        | Shape::Object(_)
        | Shape::List(..)
        | Shape::Map(_)
        | Shape::Data(_)
        | Shape::Any(_)
        | Shape::AnyOf(_) => false,
    };
    if is_text && example != "null" {
        return Some(example.into());
    }
    Some(json(Value::of_json(example.as_bytes()).expect("examples of tables are JSON")))
}

/// The example of a shape, if all that it needs has one.
pub fn shown(shape: &Shape, lenient: bool) -> Option<Json> {
    match shape {
        Shape::Object(members) => {
            let mut told = Object::new();
            for member in members.iter().filter(|member| !member.read_only || member.needed) {
                match example(member, lenient) {
                    Some(example) => told.add(member.name, example),
                    None if member.needed => return None,
                    None => {}
                }
            }
            Some(told.into())
        }
        Shape::Component(component) => shown(&component.shape, lenient),
        Shape::List(item, ..) => Some(vec![shown(item, lenient)?].into()),
        Shape::AnyOf(components) => shown(&components.first()?.shape, lenient),
        Shape::Leniently { strict, lenient: other } => shown(if lenient { other } else { strict }, lenient),
        Shape::Text(_)
        | Shape::Word(_)
        | Shape::Whole(..)
        | Shape::Number(_)
        | Shape::Money(..)
        | Shape::Flag
        | Shape::Map(_)
        | Shape::Data(_)
        | Shape::Any(_) => None,
    }
}

/// A value that was given, on its way out again.
pub fn json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Flag(flag) => Json::Bool(flag),
        Value::Whole(number) => Json::Integer(number),
        Value::Number(number) => Json::Number(number),
        Value::Text(text) => text.into(),
        Value::List(items) => items.into_iter().map(json).collect::<Vec<_>>().into(),
        Value::Object(entries) => {
            let mut told = Object::default();
            for (key, value) in entries {
                told.add(key, json(value));
            }
            told.into()
        }
    }
}

fn shared_parameters(maker: &mut Maker<'_>) -> Object {
    let mut parameters = Object::new();
    for member in maker.api.headers {
        let told = maker.parameter(member, "header");
        parameters.add(component_name(member.name), told);
    }
    let key = Object::new().and("type", "string").and("minLength", 1i64).and("maxLength", MAX_KEY as i64);
    // What headers can carry, and not only spaces.
    let key = key.and("pattern", "^[!-~]([ -~]*[!-~])?$");
    let doc = "Requests with the same key are one: the change happens once, and each gets the first one's reply.";
    parameters.add("IdempotencyKey", of_header("Idempotency-Key", doc, key));
    parameters.add("IfMatch", if_match());
    parameters.add("IfNoneMatch", if_none_match());
    parameters
}

/// The header `If-Match` as a parameter.
pub fn if_match() -> Object {
    of_header("If-Match", "Entity tags, one of which the record has to have.", entity_tags())
}

/// The header `If-None-Match` as a parameter.
pub fn if_none_match() -> Object {
    of_header("If-None-Match", "Entity tags that the caller has already.", entity_tags())
}

fn entity_tags() -> Object {
    Object::new().and("type", "string")
}

fn of_header(name: &'static str, doc: &'static str, schema: Object) -> Object {
    let told = Object::new().and("name", name).and("in", "header").and("description", doc);
    told.and("required", false).and("schema", schema)
}

/// The header `ETag` of replies.
pub fn entity_tag() -> Object {
    header("The version of the record.", Object::new().and("type", "string")).and("required", true)
}

fn header(doc: &'static str, schema: impl Into<Json>) -> Object {
    Object::new().and("description", doc).and("schema", schema)
}

fn reference(section: &str, name: &str) -> Json {
    Object::new().and("$ref", format!("#/components/{section}/{name}")).into()
}

/// A name that components may have, of a header's.
fn component_name(header: &str) -> String {
    header.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn refusal_name(status: u16) -> String {
    format!("Refusal{status}")
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "What was sent is not what is asked for.",
        401 => "There is no key, or none that opens anything.",
        403 => "The key may not do this.",
        404 => "What is asked for is not there.",
        405 => "The path takes other methods.",
        408 => "The body did not arrive in time.",
        409 => "It does not go with what is there.",
        412 => "The record is not at the version that was insisted on.",
        413 => "The body is too large.",
        415 => "The body is of another media type.",
        422 => "It cannot be done as it was asked for.",
        429 => "There were too many requests. `Retry-After` says how many seconds to wait.",
        500 => "The server broke a promise of its own. Its log says how.",
        503 => "It cannot be done at the moment. A retry may succeed.",
        _ => "The request is refused.",
    }
}

fn method(method: &Method) -> String {
    method.as_str().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
