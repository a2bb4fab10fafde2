//! Holds answers against the OpenAPI documents that the server itself serves: each answer of a transcript, as far as its API
//! has a document. A keyword that is not understood is a finding.

use std::sync::LazyLock;

use cusp::dialects::stripe;
use cusp::dialects::stripe::versions::NEWEST;
use cusp::dialects::{flexportal, jani};
use cusp::http::mounts::{Api, meant};
use cusp::rest;
use cusp::settings::Language;
use serde_json::Value;

use crate::http::Reply;

/// Keywords that say nothing about values, or nothing that is looked at here.
const SILENT: [&str; 10] = [
    "description",
    "example",
    "examples",
    "format",
    "multipleOf",
    "pattern",
    "propertyNames",
    "readOnly",
    "title",
    "writeOnly",
];

static STRIPE: LazyLock<Document> = LazyLock::new(|| Document::of(&stripe::openapi::document().to_bytes()));
static FLEXPORTAL: LazyLock<Document> = LazyLock::new(|| of_tables(&flexportal::api()));
static JANI: LazyLock<Document> = LazyLock::new(|| of_tables(&jani::api(false)));

/// What is wrong with a reply by the document of its API; nothing where it has none.
pub fn unexpected_answer(method: &str, target: &str, headers: &[(String, String)], reply: &Reply) -> Vec<String> {
    let path = target.split('?').next().unwrap_or_default();
    let tenant = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("tenant-id"));
    let meant = meant(None, path, tenant);
    let document = match meant.api {
        _ if path.starts_with("/openapi/") => return Vec::new(),
        // Stripe's describes the newest version only.
        Api::Of(Language::Stripe) if reply.header("Stripe-Version") == Some(NEWEST) => &*STRIPE,
        Api::Of(Language::FlexPortal) => &*FLEXPORTAL,
        Api::Of(Language::Jani) => &*JANI,
        Api::Of(Language::Stripe) | Api::Cusp => return Vec::new(),
    };
    document.unexpected(method, &meant.path(path), reply)
}

fn of_tables(api: &rest::Api) -> Document {
    Document::of(&rest::openapi::document(api).to_bytes())
}

/// A document of OpenAPI 3.1.
struct Document(Value);

impl Document {
    fn of(bytes: &[u8]) -> Document {
        Document(serde_json::from_slice(bytes).expect("a document is JSON"))
    }

    fn unexpected(&self, method: &str, path: &str, reply: &Reply) -> Vec<String> {
        if method == "HEAD" {
            return Vec::new();
        }
        let operation = self.item(path).and_then(|(template, item)| Some((template, item.get(method.to_lowercase())?)));
        let Some((template, operation)) = operation else {
            // All refusals look the same.
            let mut refusals = self.0["components"]["responses"].as_object().into_iter().flatten();
            let refusal = refusals.find(|(name, _)| name.ends_with("404")).expect("there is a refusal");
            return match reply.status {
                401 | 403 | 404 | 405 | 429 => self.unlike(refusal.1, method, reply),
                status => vec![format!("{status} where nothing is: {method} {path}")],
            };
        };
        let name = format!("{method} {template}");
        match operation["responses"].get(reply.status.to_string()) {
            Some(response) => self.unlike(self.target(response), &name, reply),
            None => vec![format!("the document has no {} for {name}", reply.status)],
        }
    }

    /// What a reply has else than a response of the document.
    fn unlike(&self, response: &Value, name: &str, reply: &Reply) -> Vec<String> {
        let headers = response["headers"].as_object().into_iter().flatten();
        let needed = headers.filter(|(_, header)| self.target(header)["required"] == true);
        let missing = needed.filter(|(header, _)| reply.header(header).is_none());
        let mut found: Vec<String> = missing.map(|(header, _)| format!("{name}: the reply has no {header}")).collect();
        match response.pointer("/content/application~1json/schema") {
            None if reply.body.is_empty() => {}
            None => found.push(format!("the document has no body for {} of {name}", reply.status)),
            Some(_) if reply.header("Content-Type") != Some("application/json") => {
                found.push(format!("{name}: the reply does not say that it is JSON"));
            }
            Some(schema) => match serde_json::from_slice::<Value>(&reply.body) {
                Err(trouble) => found.push(format!("{name}: the body is no JSON: {trouble}")),
                Ok(value) => {
                    let findings = self.findings(schema, &value, "");
                    found.extend(findings.into_iter().map(|finding| format!("the document of {name}: {finding}")));
                }
            },
        }
        found
    }

    /// The path that is meant: of several the one with the fewest variable parts.
    fn item(&self, path: &str) -> Option<(&String, &Value)> {
        let paths = self.0["paths"].as_object()?.iter();
        paths.filter(|(template, _)| matches(template, path)).min_by_key(|(template, _)| template.matches('{').count())
    }

    fn target<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.0.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in the document")),
            None => value,
        }
    }

    fn findings(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let schema = self.target(schema);
        let Some(keywords) = schema.as_object() else { return vec![format!("{place}: {schema} is no schema")] };
        let mut found = Vec::new();
        let mut wrong = |what: &str| {
            let shown: String = value.to_string().chars().take(120).collect();
            found.push(format!("{place} {what}: {shown}"));
        };
        let is = |kind: &Value| kind.as_str().is_some_and(|kind| is_kind(kind, value));
        let number = value.as_f64();
        let length = value.as_str().map(|text| text.chars().count() as u64);
        for (keyword, rule) in keywords {
            let fits = match keyword.as_str() {
                "type" => rule.as_array().map_or_else(|| is(rule), |kinds| kinds.iter().any(is)),
                "enum" => rule.as_array().is_some_and(|words| words.contains(value)),
                "const" => rule == value,
                "minLength" => length.is_none_or(|length| rule.as_u64().is_some_and(|least| length >= least)),
                "maxLength" => length.is_none_or(|length| rule.as_u64().is_some_and(|most| length <= most)),
                "minimum" => number.is_none_or(|number| rule.as_f64().is_some_and(|least| number >= least)),
                "maximum" => number.is_none_or(|number| rule.as_f64().is_some_and(|most| number <= most)),
                "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap_or(0)),
                "maxItems" => {
                    value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap_or(u64::MAX))
                }
                "required" => value.as_object().is_none_or(|object| {
                    rule.as_array().into_iter().flatten().filter_map(Value::as_str).all(|key| object.contains_key(key))
                }),
                "anyOf" | "properties" | "items" | "additionalProperties" | "$ref" => true,
                silent => SILENT.contains(&silent),
            };
            if !fits {
                wrong(&format!("does not fit {keyword:?} {rule}"));
            }
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let reports = any.iter().map(|one| self.findings(one, value, place));
            found.extend(reports.min_by_key(Vec::len).unwrap_or_default());
        }
        if let (Some(items), Some(rule)) = (value.as_array(), keywords.get("items")) {
            let each = items.iter().enumerate();
            found.extend(each.flat_map(|(number, item)| self.findings(rule, item, &format!("{place}[{number}]"))));
        }
        for (key, entry) in value.as_object().into_iter().flatten() {
            let place = format!("{place}.{key}");
            match (schema["properties"].get(key), keywords.get("additionalProperties")) {
                (Some(rule), _) => found.extend(self.findings(rule, entry, &place)),
                (None, Some(Value::Bool(false))) => found.push(format!("{place} is not in the document")),
                (None, Some(Value::Bool(true)) | None) => {}
                (None, Some(rule)) => found.extend(self.findings(rule, entry, &place)),
            }
        }
        found
    }
}

/// Whether a path is one of a template's.
fn matches(template: &str, path: &str) -> bool {
    let (wanted, there): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, there): (&&str, &&str)| wanted == there || wanted.starts_with('{') && !there.is_empty();
    wanted.len() == there.len() && wanted.iter().zip(&there).all(fits)
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Document;

    #[test]
    fn what_does_not_fit_is_found() {
        let document = Document(json!({"paths": {}, "components": {"schemas": {"thing": {
            "type": "object",
            "properties": {"name": {"type": ["string", "null"], "maxLength": 3}, "kinds": {"type": "array", "items": {
                "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer"}]
            }}},
            "required": ["name"],
            "additionalProperties": false
        }}}}));
        let thing = json!({"$ref": "#/components/schemas/thing"});
        for (value, findings) in [
            (json!({"name": "Ada", "kinds": ["a", 3]}), 0),
            (json!({"name": null}), 0),
            (json!({}), 1),
            (json!({"name": "Jenny"}), 1),
            (json!({"name": 3}), 1),
            (json!({"name": "Ada", "nick": "x"}), 1),
            (json!({"name": "Ada", "kinds": ["b", 3, {}]}), 2),
            (json!([]), 1),
        ] {
            let found = document.findings(&thing, &value, "");
            assert_eq!(found.len(), findings, "{value}: {found:?}");
        }
        assert_eq!(document.findings(&json!({"oneOf": []}), &json!(1), "").len(), 1);
    }
}
