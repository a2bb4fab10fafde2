//! An OpenAPI 3.0 document and whether a value fits one of its schemas, as far as Stripe's documents use that language.
//! A keyword that is not understood is a finding, and so is a key that a schema with properties does not list.

use serde_json::Value;

use crate::json::Json;

/// Keywords that say nothing about values, or nothing that can be wrong here.
const SILENT: [&str; 7] = [
    "description",
    "format",
    "title",
    "x-expandableFields",
    "x-expansionResources",
    "x-resourceId",
    // Values outside the list may come one day; ours are all of today.
    "x-stripeBypassValidation",
];

/// A document.
pub struct Document {
    root: Value,
}

/// How much of an object a value shows.
#[derive(Clone, Copy, PartialEq)]
pub enum Extent {
    /// All that is always told.
    Whole,
    /// What has changed: anything may be missing, and what was not there is null.
    Part,
}

/// Something about a value that does not fit.
#[derive(Debug, PartialEq)]
pub struct Finding {
    /// What is wrong, with its place from the nearest schema that has a name: the same for every value.
    pub rule: String,
    /// The place in the value and what is there.
    pub seen: String,
}

const UNKNOWN_KEY: &str = "is a key that the schema does not have";

/// The rule of a finding about such a key.
pub fn unknown_key(schema: &str, key: &str) -> String {
    format!("{schema}.{key} {UNKNOWN_KEY}")
}

impl Document {
    /// Reads a document.
    pub fn parse(text: &str) -> Result<Document, String> {
        // Not from_str, which would be compiled here and be as slow as the tests are.
        let root: Value = text.parse().map_err(|trouble: serde_json::Error| trouble.to_string())?;
        for needed in ["/info/version", "/paths", "/components/schemas/error"] {
            root.pointer(needed).ok_or_else(|| format!("there is no {needed}"))?;
        }
        Ok(Document { root })
    }

    /// The version of the API that it describes.
    pub fn version(&self) -> &str {
        self.root["info"]["version"].as_str().unwrap_or_default()
    }

    /// The schema of a successful answer; `path` is one that was called.
    pub fn answer(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.root["paths"].as_object()?.iter().filter(|(template, _)| matches(template, path));
        // /v1/customers/search is also a /v1/customers/{customer}.
        let (_, operations) = paths.min_by_key(|(template, _)| template.matches('{').count())?;
        operations.get(method.to_ascii_lowercase())?.pointer("/responses/200/content/application~1json/schema")
    }

    /// The schema of that name.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.root["components"]["schemas"].get(name)
    }

    /// What does not fit; `name` is what the schema is called in findings.
    pub fn findings(&self, name: &str, schema: &Value, value: &Json, extent: Extent) -> Vec<Finding> {
        let mut look = Look { document: self, extent, findings: Vec::new() };
        look.value(schema, value, &Place { rule: name.to_owned(), value: String::new() });
        look.findings
    }

    /// The schema that a schema refers to, with its name; otherwise itself.
    fn target<'a>(&'a self, schema: &'a Value) -> Result<(Option<&'a str>, &'a Value), String> {
        let Some(reference) = schema.get("$ref") else { return Ok((None, schema)) };
        let name = reference.as_str().and_then(|text| text.strip_prefix("#/components/schemas/"));
        name.and_then(|name| Some((Some(name), self.schema(name)?)))
            .ok_or_else(|| format!("refers to {reference}, which is not there"))
    }
}

/// Whether a path is one of a template's: `/v1/customers/cus_1` is one of `/v1/customers/{customer}`.
fn matches(template: &str, path: &str) -> bool {
    // Most templates differ here, and there are hundreds.
    let (fixed, _) = template.split_once('{').unwrap_or((template, ""));
    if !path.starts_with(fixed) {
        return false;
    }
    let (mut wanted, mut there) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), there.next()) {
            (None, None) => return true,
            (Some(wanted), Some(there)) if wanted == there || wanted.starts_with('{') && !there.is_empty() => {}
            _ => return false,
        }
    }
}

/// Where we are: among the schemas, and in the value.
#[derive(Clone)]
struct Place {
    rule: String,
    value: String,
}

impl Place {
    fn key(&self, key: &str) -> Place {
        Place { rule: format!("{}.{key}", self.rule), value: format!("{}.{key}", self.value) }
    }

    /// A key that the schema does not choose.
    fn free_key(&self, key: &str) -> Place {
        Place { rule: format!("{}.*", self.rule), value: format!("{}.{key}", self.value) }
    }

    fn item(&self, number: usize) -> Place {
        Place { rule: format!("{}[]", self.rule), value: format!("{}.{number}", self.value) }
    }
}

struct Look<'a> {
    document: &'a Document,
    extent: Extent,
    findings: Vec<Finding>,
}

impl Look<'_> {
    fn found(&mut self, place: &Place, what: &str, value: &Json) {
        let text: String = value.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = text.chars().take(120).collect();
        let at = if place.value.is_empty() { "the whole" } else { &place.value };
        self.findings.push(Finding { rule: format!("{} {what}", place.rule), seen: format!("{at} is {shown}") });
    }

    fn unknown(&mut self, key: &str, entry: &Json, place: &Place) {
        self.found(&place.key(key), UNKNOWN_KEY, entry);
    }

    fn value(&mut self, schema: &Value, value: &Json, place: &Place) {
        let (name, schema) = match self.document.target(schema) {
            Ok(found) => found,
            Err(trouble) => return self.found(place, &trouble, value),
        };
        let named = name.map(|name| Place { rule: name.to_owned(), value: place.value.clone() });
        let place = named.as_ref().unwrap_or(place);
        if *value == Json::Null && (self.extent == Extent::Part || schema["nullable"] == true) {
            return;
        }
        let Some(keywords) = schema.as_object() else {
            return self.found(place, &format!("has the schema {schema}, which is none"), value);
        };
        for (keyword, rule) in keywords {
            let understood = match (keyword.as_str(), value) {
                ("anyOf", _) => self.any_of(rule, value, place),
                ("type", _) => self.kind(rule, value, place),
                ("enum", _) => self.listed(rule, value, place),
                ("maxLength", Json::Text(text)) => self.length(rule, text, value, place),
                ("pattern", Json::Text(text)) => self.pattern(rule, text, value, place),
                ("items", Json::Array(items)) => self.items(rule, items, place),
                ("properties", Json::Object(entries)) => self.properties(keywords, rule, entries, place),
                ("required", Json::Object(_)) => self.required(rule, value, place),
                // Without properties there is only this; with them, it is about the keys that are none of them.
                ("additionalProperties", Json::Object(entries)) if !keywords.contains_key("properties") => {
                    entries.iter().for_each(|(key, entry)| self.additional(rule, key, entry, place));
                    Some(())
                }
                ("nullable", _) if rule.is_boolean() => Some(()),
                // About another kind of value: `type` has said so.
                ("maxLength" | "pattern" | "items" | "properties" | "required" | "additionalProperties", _) => Some(()),
                (silent, _) => SILENT.contains(&silent).then_some(()),
            };
            if understood.is_none() {
                self.found(place, &format!("has a schema that is not understood: {keyword:?}"), value);
            }
        }
    }

    fn any_of(&mut self, rule: &Value, value: &Json, place: &Place) -> Option<()> {
        let document = self.document;
        let alternatives = rule.as_array()?.iter().filter(|one| may_be(document, one, value));
        let reports = alternatives.map(|one| {
            let mut look = Look { document, extent: self.extent, findings: Vec::new() };
            look.value(one, value, place);
            look.findings
        });
        match reports.min_by_key(Vec::len) {
            Some(best) => self.findings.extend(best),
            None => self.found(place, "is none of the kinds that it may be", value),
        }
        Some(())
    }

    fn kind(&mut self, rule: &Value, value: &Json, place: &Place) -> Option<()> {
        if !is_kind(rule.as_str()?, value)? {
            self.found(place, &format!("is not of the type {}", rule.as_str()?), value);
        }
        Some(())
    }

    fn listed(&mut self, rule: &Value, value: &Json, place: &Place) -> Option<()> {
        if !rule.as_array()?.iter().any(|one| equal(one, value)) {
            self.found(place, "is none of the values that are listed", value);
        }
        Some(())
    }

    fn length(&mut self, rule: &Value, text: &str, value: &Json, place: &Place) -> Option<()> {
        let most = rule.as_u64()?;
        if text.chars().count() as u64 > most {
            self.found(place, &format!("is longer than {most}"), value);
        }
        Some(())
    }

    /// Only beginnings of paths are told as patterns, with `[^/]+` for a part.
    fn pattern(&mut self, rule: &Value, text: &str, value: &Json, place: &Place) -> Option<()> {
        let pattern = rule.as_str()?;
        let beginning = pattern.strip_prefix('^')?.replace("[^/]+", "{}");
        if beginning.contains(['[', ']', '(', ')', '*', '+', '?', '$', '|', '\\']) {
            return None;
        }
        let path = text.split('?').next().unwrap_or_default();
        let there: Vec<&str> = path.split('/').take(beginning.split('/').count()).collect();
        if !matches(&beginning, &there.join("/")) {
            self.found(place, &format!("does not match {pattern}"), value);
        }
        Some(())
    }

    fn items(&mut self, rule: &Value, items: &[Json], place: &Place) -> Option<()> {
        for (number, item) in items.iter().enumerate() {
            self.value(rule, item, &place.item(number));
        }
        Some(())
    }

    fn properties(
        &mut self,
        keywords: &serde_json::Map<String, Value>,
        rule: &Value,
        entries: &[(String, Json)],
        place: &Place,
    ) -> Option<()> {
        let properties = rule.as_object()?;
        for (key, entry) in entries {
            match (properties.get(key), keywords.get("additionalProperties")) {
                (Some(schema), _) => self.value(schema, entry, &place.key(key)),
                (None, Some(others)) => self.additional(others, key, entry, place),
                (None, None) => self.unknown(key, entry, place),
            }
        }
        Some(())
    }

    fn additional(&mut self, rule: &Value, key: &str, entry: &Json, place: &Place) {
        match rule {
            Value::Bool(true) => {}
            Value::Bool(false) => self.unknown(key, entry, place),
            schema => self.value(schema, entry, &place.free_key(key)),
        }
    }

    fn required(&mut self, rule: &Value, value: &Json, place: &Place) -> Option<()> {
        for key in rule.as_array()? {
            let key = key.as_str()?;
            if self.extent == Extent::Whole && value.get(key).is_none() {
                let rule = place.key(key).rule;
                self.found(&Place { rule, value: place.value.clone() }, "is missing", value);
            }
        }
        Some(())
    }
}

/// Whether a value can be meant by one of several schemas: a text by that of an id, an object by that of its `object`,
/// and one that is deleted by that of deleted ones.
fn may_be(document: &Document, schema: &Value, value: &Json) -> bool {
    let Ok((_, schema)) = document.target(schema) else { return true };
    if let Some(within) = schema["anyOf"].as_array() {
        return within.iter().any(|one| may_be(document, one, value));
    }
    let kind = schema["type"].as_str().and_then(|kind| is_kind(kind, value)).unwrap_or(true);
    let says = |key: &str| match (schema.pointer(&format!("/properties/{key}/enum")), value.get(key)) {
        (Some(Value::Array(listed)), Some(there)) => listed.iter().any(|one| equal(one, there)),
        _ => true,
    };
    kind && says("object") && (schema["properties"].get("deleted").is_some() || value.get("deleted").is_none())
}

/// `None` for a type that there is not.
fn is_kind(kind: &str, value: &Json) -> Option<bool> {
    Some(match (kind, value) {
        ("string", Json::Text(_)) | ("boolean", Json::Bool(_)) | ("number", Json::Number(_)) => true,
        ("array", Json::Array(_)) | ("object", Json::Object(_)) => true,
        ("integer", Json::Number(number)) => number.is_i64() || number.is_u64(),
        ("string" | "boolean" | "number" | "array" | "object" | "integer", _) => false,
        _ => return None,
    })
}

/// Only simple values are ever listed.
fn equal(listed: &Value, value: &Json) -> bool {
    match (listed, value) {
        (Value::String(one), Json::Text(other)) => one == other,
        (Value::Bool(one), Json::Bool(other)) => one == other,
        (Value::Number(one), Json::Number(other)) => one == other,
        (Value::Null, Json::Null) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Extent};
    use crate::json::Json;

    const DOCUMENT: &str = r##"{
        "info": {"version": "2020-08-27"},
        "paths": {
            "/v1/customers/{customer}": {
                "get": {"responses": {"200": {"content": {"application/json": {"schema": {
                    "anyOf": [{"$ref": "#/components/schemas/customer"}, {"$ref": "#/components/schemas/deleted"}]
                }}}}}}
            },
            "/v1/customers/search": {
                "get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": "boolean"}}}}}}
            }
        },
        "components": {"schemas": {
            "error": {"type": "object", "properties": {}},
            "address": {
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 3, "nullable": true}},
                "required": ["city"]
            },
            "customer": {
                "type": "object",
                "title": "Customer",
                "properties": {
                    "address": {"anyOf": [{"$ref": "#/components/schemas/address"}], "nullable": true},
                    "balance": {"type": "integer", "format": "unix-time"},
                    "free": {"type": "object"},
                    "id": {"type": "string"},
                    "locales": {"type": "array", "items": {"type": "string"}},
                    "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                    "mixed": {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": {"type": "number"}},
                    "object": {"type": "string", "enum": ["customer"]},
                    "odd": {"type": "integer", "minimum": 3},
                    "parent": {"anyOf": [
                        {"type": "string", "maxLength": 8},
                        {"$ref": "#/components/schemas/customer"},
                        {"$ref": "#/components/schemas/deleted_customer"}
                    ]},
                    "lost": {"$ref": "#/components/schemas/nothing"},
                    "rate": {"type": "number"},
                    "shut": {"type": "object", "additionalProperties": false},
                    "url": {"type": "string", "pattern": "^/v1/a/[^/]+/b"},
                    "wild": {"type": "string", "pattern": "^a+$"}
                },
                "required": ["id", "object"]
            },
            "deleted": {"anyOf": [{"$ref": "#/components/schemas/deleted_customer"}]},
            "deleted_customer": {
                "type": "object",
                "properties": {
                    "deleted": {"type": "boolean", "enum": [true]},
                    "id": {"type": "string"},
                    "object": {"type": "string", "enum": ["customer"]}
                },
                "required": ["deleted", "id", "object"]
            }
        }}
    }"##;

    fn findings(text: &str, extent: Extent) -> Vec<String> {
        let document = Document::parse(DOCUMENT).unwrap();
        let schema = document.answer("GET", "/v1/customers/cus_1").unwrap();
        let found = document.findings("the answer", schema, &Json::parse(text).unwrap(), extent);
        found.into_iter().map(|finding| format!("{}: {}", finding.rule, finding.seen)).collect()
    }

    #[test]
    fn what_fits_has_no_findings() {
        for entries in [
            "",
            r#", "address": null"#,
            r#", "address": {"city": "Ulm"}"#,
            r#", "address": {"city": null}"#,
            r#", "address": {"city": "äöü"}"#,
            r#", "balance": -3"#,
            r#", "free": {"a": [1, {"b": null}]}"#,
            r#", "locales": []"#,
            r#", "locales": ["de", "en"]"#,
            r#", "metadata": {"a": "b"}"#,
            r#", "mixed": {"a": true, "b": 1.5}"#,
            r#", "parent": "cus_2""#,
            r#", "parent": {"id": "cus_2", "object": "customer", "parent": "cus_3"}"#,
            r#", "parent": {"id": "cus_2", "object": "customer", "deleted": true}"#,
            r#", "rate": 12.5"#,
            r#", "shut": {}"#,
            r#", "url": "/v1/a/x_1/b""#,
            r#", "url": "/v1/a/x_1/b/c""#,
            r#", "url": "/v1/a/x_1/b?c=/""#,
        ] {
            let customer = format!(r#"{{"id": "cus_1", "object": "customer"{entries}}}"#);
            assert_eq!(findings(&customer, Extent::Whole), [""; 0], "{customer}");
        }
        assert_eq!(findings(r#"{"id": "a", "object": "customer", "deleted": true}"#, Extent::Whole), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_found() {
        for (entries, finding) in [
            (r#""address": 3"#, "customer.address is none of the kinds that it may be: .address is 3"),
            (r#""address": {"city": "Bonn"}"#, "address.city is longer than 3: .address.city is \"Bonn\""),
            (r#""address": {}"#, "address.city is missing: .address is {}"),
            (
                r#""address": {"city": "a", "zip": 1}"#,
                "address.zip is a key that the schema does not have: .address.zip is 1",
            ),
            (r#""balance": 1.5"#, "customer.balance is not of the type integer: .balance is 1.5"),
            (r#""balance": null"#, "customer.balance is not of the type integer: .balance is null"),
            (r#""balance": "1""#, "customer.balance is not of the type integer: .balance is \"1\""),
            (r#""free": []"#, "customer.free is not of the type object: .free is []"),
            (r#""locales": {}"#, "customer.locales is not of the type array: .locales is {}"),
            (r#""locales": ["de", 3]"#, "customer.locales[] is not of the type string: .locales.1 is 3"),
            (r#""metadata": {"a": null}"#, "customer.metadata.* is not of the type string: .metadata.a is null"),
            (r#""mixed": {"a": 1}"#, "customer.mixed.a is not of the type boolean: .mixed.a is 1"),
            (r#""mixed": {"b": true}"#, "customer.mixed.* is not of the type number: .mixed.b is true"),
            (r#""parent": "far_too_long""#, "customer.parent is longer than 8: .parent is \"far_too_long\""),
            (r#""parent": null"#, "customer.parent is none of the kinds that it may be: .parent is null"),
            (r#""parent": {"object": "card"}"#, "customer.parent is none of the kinds that it may be"),
            (r#""parent": {"object": "customer"}"#, "customer.id is missing: .parent is {"),
            (
                r#""parent": {"id": "a", "object": "customer", "deleted": false}"#,
                "deleted_customer.deleted is none of the values that are listed: .parent.deleted is false",
            ),
            (r#""rate": "1""#, "customer.rate is not of the type number: .rate is \"1\""),
            (r#""shut": {"a": 1}"#, "customer.shut.a is a key that the schema does not have: .shut.a is 1"),
            (r#""surprise": 1"#, "customer.surprise is a key that the schema does not have: .surprise is 1"),
            (r#""url": "/v1/b""#, "customer.url does not match ^/v1/a/[^/]+/b: .url is \"/v1/b\""),
            (r#""url": "/v1/a//b""#, "customer.url does not match"),
            // What we do not understand cannot be said to fit.
            (r#""odd": 4"#, "customer.odd has a schema that is not understood: \"minimum\": .odd is 4"),
            (r#""wild": "a""#, "customer.wild has a schema that is not understood: \"pattern\": .wild is \"a\""),
            (
                r#""lost": 1"#,
                "customer.lost refers to \"#/components/schemas/nothing\", which is not there: .lost is 1",
            ),
        ] {
            let found = findings(&format!(r#"{{"id": "cus_1", "object": "customer", {entries}}}"#), Extent::Whole);
            assert_eq!(found.len(), 1, "{entries}: {found:?}");
            assert!(found[0].starts_with(finding), "{entries}: {found:?}, not {finding:?}");
        }
        assert_eq!(findings("[]", Extent::Whole), ["the answer is none of the kinds that it may be: the whole is []"]);
        assert_eq!(findings(r#"{"object": "customer"}"#, Extent::Whole).len(), 1);
    }

    #[test]
    fn of_a_part_things_may_be_missing_and_null() {
        assert_eq!(findings(r#"{"address": {}, "balance": null, "metadata": {"a": null}}"#, Extent::Part), [""; 0]);
        assert_eq!(findings(r#"{"balance": "1", "surprise": null}"#, Extent::Part).len(), 2);
    }

    #[test]
    fn an_operation_is_found_by_the_path_that_was_called() {
        let document = Document::parse(DOCUMENT).unwrap();
        assert_eq!(document.answer("GET", "/v1/customers/search").unwrap()["type"], "boolean");
        assert!(document.answer("GET", "/v1/customers/{customer}").unwrap().get("anyOf").is_some());
        for (method, path) in [("POST", "/v1/customers/cus_1"), ("GET", "/v1/customers"), ("GET", "/v1/customers/")] {
            assert!(document.answer(method, path).is_none(), "{method} {path}");
        }
        assert!(Document::parse("{").is_err());
        assert!(Document::parse(r#"{"info": {"version": "1"}, "paths": {}}"#).is_err());
    }
}
