//! Holds answers and events against the schemas that Stripe publishes, when a folder of them is at hand: each against
//! the document of its version. What we say otherwise than those documents is listed here with its reason.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use cusp::dialects::stripe::routes::{OPERATIONS, Operation};
use cusp::dialects::stripe::versions::{LISTED, NEWEST, SAME_AS_BEFORE};
use cusp::http::routes::{Found, Routes};
use hyper::Method;

use crate::http::Reply;
use crate::json::Json;
use crate::openapi::{Document, Extent, Finding, unknown_key};

/// The variable that names the folder. Its documents are called `spec3-` and what they are of, a month or a version:
/// `spec3-2022-04.json`, `spec3-2026-08-26.dahlia.json`.
const FOLDER: &str = "CUSP_STRIPE_OPENAPI";

/// Documents from this version on speak for later versions too, which have none yet; what those add is in [`KEYS`].
const SPEAKS_FOR_LATER: &str = "2026-06-24.dahlia";

/// Operations of ours that a document does not have: its version, what they begin with (`POST /v1/coupons`, or
/// `/v1/coupons` for every method), why.
const NOT_DESCRIBED: &[(&str, &str, &str)] = &[
    (
        "2020-08-27",
        "/v1/customers/{customer}/cash_balance",
        "cash balances came in May 2022, a month after the document, while its version was current",
    ),
    (
        "2020-08-27",
        "GET /v1/customers/{customer}/payment_methods/{payment_method}",
        "came after the document; those who pin its version find it all the same",
    ),
    ("2020-08-27", "POST /v1/customers/{customer}/funding_instructions", "came in May 2022, after the document"),
    ("2020-08-27", "POST /v1/test_helpers/customers/{customer}/fund_cash_balance", "came in 2022, after the document"),
    ("2020-08-27", "/v1/tax_ids", "tax ids by their owner came in February 2024, for every version"),
    ("2020-08-27", "POST /v1/test_helpers/sources/", "ours: it stands for what a person does on a page of Stripe's"),
    ("2026-08-26.dahlia", "POST /v1/test_helpers/sources/", "ours, as above"),
    ("2020-08-27", "POST /v1/test_helpers/setup_intents/", "ours: it stands for what a card's owner does"),
    ("2026-08-26.dahlia", "POST /v1/test_helpers/setup_intents/", "ours, as above"),
    ("2020-08-27", "POST /v1/events/{id}/retry", "the official CLI's, which no document has"),
    ("2026-08-26.dahlia", "POST /v1/events/{id}/retry", "the official CLI's, as above"),
    ("2020-08-27", "POST /v1/stripecli/sessions", "the official CLI's, as above"),
    ("2026-08-26.dahlia", "POST /v1/stripecli/sessions", "the official CLI's, as above"),
];

/// Keys that a document does not have: the version that they are told from on, the schema, the key, why.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("2020-08-27", "customer", "cash_balance", "came in May 2022, while this version was current"),
    ("2020-08-27", "customer", "invoice_credit_balance", "came in July 2022, while this version was current"),
    (
        "2020-08-27",
        "invoice_setting_customer_setting",
        "rendering_options",
        "came in July 2022, before the next version",
    ),
];

/// Other rules that we do not keep: the version from which on, the rule as findings tell it, why.
const OTHERWISE: &[(&str, &str, &str)] = &[
    (
        "2020-08-27",
        "customer_balance_transaction.customer is none of the kinds that it may be",
        "of a customer that was deleted there is nothing else to show than that",
    ),
    (
        "2026-06-24.dahlia",
        "funding_instructions_bank_transfer.type is none of the values that are listed",
        "the schema of the request lists five types, that of the answer two of them",
    ),
    (
        "2020-08-27",
        "tax_id.type is none of the values that are listed",
        "types came one after the other, some while this version was current",
    ),
];

/// The documents of a folder, oldest first.
struct Documents(Vec<Described>);

/// A document that is read when it is needed: each test is a process, and most need only one.
struct Described {
    /// The version that was the newest when it was published.
    version: &'static str,
    path: PathBuf,
    document: OnceLock<Document>,
}

impl Documents {
    /// Those of a folder; an error when there is no such folder.
    fn of(folder: &Path) -> Result<Documents, String> {
        let entries = fs::read_dir(folder).map_err(|trouble| format!("{}: {trouble}", folder.display()))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|trouble| format!("{}: {trouble}", folder.display()))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(of) = name.strip_prefix("spec3-").and_then(|rest| rest.strip_suffix(".json")) else { continue };
            let version = newest_of(of).ok_or_else(|| format!("{name} is of no version that there is"))?;
            found.push(Described { version, path, document: OnceLock::new() });
        }
        found.sort_by_key(|described| described.version);
        match found.windows(2).find(|two| two[0].version == two[1].version) {
            Some(two) => Err(format!("{} and {} are of one version", two[0].path.display(), two[1].path.display())),
            None => Ok(Documents(found)),
        }
    }

    /// The document of a version: the newest that is not newer, when it shows the same as its own version.
    fn of_version(&self, version: &str) -> Option<&Described> {
        let described = self.0.iter().rfind(|described| listed_for(described.version) <= listed_for(version))?;
        let alike = listed_for(described.version) == listed_for(version);
        (alike || described.version >= SPEAKS_FOR_LATER).then_some(described)
    }
}

impl Described {
    fn document(&self) -> &Document {
        self.document.get_or_init(|| {
            let read = fs::read_to_string(&self.path).map_err(|trouble| trouble.to_string());
            let document = read.and_then(|text| Document::parse(&text));
            let document = document.unwrap_or_else(|trouble| panic!("{}: {trouble}", self.path.display()));
            assert_eq!(document.version(), self.version, "the version of {}", self.path.display());
            document
        })
    }
}

/// The newest version that is no newer than the text, which begins with a month or a day.
fn newest_of(text: &str) -> Option<&'static str> {
    LISTED.into_iter().chain(SAME_AS_BEFORE).filter(|version| *version <= text).max()
}

/// The place of the listed version that a version shows the same as.
fn listed_for(version: &str) -> Option<usize> {
    LISTED.iter().rposition(|listed| *listed <= version)
}

/// The documents at hand, if there are any. A folder that cannot be read is a mistake of who named it.
fn documents() -> Option<&'static Documents> {
    static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
    let documents = DOCUMENTS.get_or_init(|| match env::var_os(FOLDER) {
        None => Documents(Vec::new()),
        Some(folder) => Documents::of(Path::new(&folder)).unwrap_or_else(|trouble| panic!("{FOLDER}: {trouble}")),
    });
    (!documents.0.is_empty()).then_some(documents)
}

/// How much was held against a schema, and for how much there was none.
#[derive(Default)]
pub struct Count {
    held: AtomicUsize,
    without: AtomicUsize,
}

impl Count {
    /// A line about it, if there are documents at all.
    pub fn line(&self) -> Option<String> {
        let (held, without) = (self.held.load(Ordering::SeqCst), self.without.load(Ordering::SeqCst));
        documents().map(|_| format!("{held} answers and events were held against their schemas, {without} have none"))
    }

    /// Counts what was looked at: `None` is what has no schema.
    fn settle(&self, found: Option<Vec<String>>) -> Vec<String> {
        let counter = if found.is_some() { &self.held } else { &self.without };
        counter.fetch_add(1, Ordering::SeqCst);
        found.unwrap_or_default()
    }
}

/// What is wrong with a reply by the document of its version; nothing when there are no documents.
pub fn unexpected_answer(method: &str, target: &str, reply: &Reply, count: &Count) -> Vec<String> {
    // What Stripe's API has no words for is in none of its documents.
    let documents = documents().filter(|_| target != "/cusp" && !target.starts_with("/cusp/"));
    documents.map(|documents| documents.unexpected_answer(method, target, reply, count)).unwrap_or_default()
}

/// What is wrong with an event, told in the version of its account, by the document of that version.
pub fn unexpected_event(event: &Json, count: &Count) -> Vec<String> {
    documents().map(|documents| documents.unexpected_event(event, count)).unwrap_or_default()
}

impl Documents {
    fn unexpected_answer(&self, method: &str, target: &str, reply: &Reply, count: &Count) -> Vec<String> {
        if reply.body.is_empty() {
            return Vec::new();
        }
        let json = match Json::parse(&reply.text()) {
            Ok(json) => json,
            Err(trouble) => return vec![format!("the answer is no JSON: {trouble}")],
        };
        let version = match reply.header("Stripe-Version") {
            Some(version) => version,
            // A request may be refused before its version is known.
            None if reply.status >= 400 => NEWEST,
            None => return vec!["the answer does not say its version".to_owned()],
        };
        let measure = Measure::of_version(self, version);
        if reply.status >= 400 {
            return count.settle(measure.map(|measure| measure.named("the refusal", "error", &json)));
        }
        let mut found = count.settle(measure.and_then(|measure| measure.answer(method, target, &json)));
        let listed = json.get("data").map_or(&[][..], Json::items);
        for event in listed.iter().chain([&json]).filter(|json| text_of(json, "object") == "event") {
            found.extend(count.settle(self.event_data(event)));
        }
        found
    }

    fn unexpected_event(&self, event: &Json, count: &Count) -> Vec<String> {
        let measure = Measure::of_version(self, text_of(event, "api_version"));
        let mut found = count.settle(measure.map(|measure| measure.named(text_of(event, "type"), "event", event)));
        found.extend(count.settle(self.event_data(event)));
        found
    }

    /// What is wrong with what an event tells about: an object with a schema of its own, and what changed of it.
    fn event_data(&self, event: &Json) -> Option<Vec<String>> {
        let measure = Measure::of_version(self, text_of(event, "api_version"))?;
        let about = text_of(event, "type");
        let object = event.at("data.object").unwrap_or(&Json::Null);
        let kind = match object.get("deleted") {
            Some(Json::Bool(true)) => format!("deleted_{}", text_of(object, "object")),
            _ => text_of(object, "object").to_owned(),
        };
        let mut found = measure.named(about, &kind, object);
        if let (Some(schema), Some(previous)) = (measure.document.schema(&kind), event.at("data.previous_attributes")) {
            let about = format!("the previous attributes of {about}");
            found.extend(measure.lines(&about, measure.document.findings(&kind, schema, previous, Extent::Part)));
        }
        Some(found)
    }
}

fn text_of<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::text).unwrap_or_default()
}

/// What things of one version are held against.
struct Measure<'a> {
    version: &'a str,
    document: &'a Document,
}

impl<'a> Measure<'a> {
    fn of_version(documents: &'a Documents, version: &'a str) -> Option<Measure<'a>> {
        documents.of_version(version).map(|described| Measure { version, document: described.document() })
    }

    /// `None` for an operation that the document need not have.
    fn answer(&self, method: &str, target: &str, json: &Json) -> Option<Vec<String>> {
        let path = target.split('?').next().unwrap_or_default();
        let path = path.strip_prefix("/stripe").unwrap_or(path);
        static ROUTES: LazyLock<Routes<Operation>> = LazyLock::new(|| Routes::of(OPERATIONS));
        let operation = match method.parse().map(|method: Method| ROUTES.find(&method, path)) {
            Ok(Found::Operation(operation, _)) => operation.path,
            Ok(Found::OtherMethod(_) | Found::Nothing) | Err(_) => path,
        };
        let name = format!("{method} {operation}");
        match self.document.answer(method, path) {
            Some(schema) => Some(self.lines(&name, self.document.findings(&name, schema, json, Extent::Whole))),
            None if need_not_have(self.document, &name) => None,
            None => Some(vec![format!("the schema of {} does not have {name}", self.document.version())]),
        }
    }

    fn named(&self, about: &str, name: &str, json: &Json) -> Vec<String> {
        match self.document.schema(name) {
            Some(schema) => self.lines(about, self.document.findings(name, schema, json, Extent::Whole)),
            None => vec![format!("the schema of {} has no {name:?}, which {about} is", self.document.version())],
        }
    }

    /// The findings but those that are known.
    fn lines(&self, about: &str, findings: Vec<Finding>) -> Vec<String> {
        let known = |rule: &str| {
            let keys = KEYS.iter().map(|(since, schema, key, _)| (*since, unknown_key(schema, key)));
            let others = OTHERWISE.iter().map(|(since, rule, _)| (*since, (*rule).to_owned()));
            keys.chain(others).any(|(since, known)| since <= self.version && known == rule)
        };
        let told = findings.into_iter().filter(|finding| !known(&finding.rule));
        let version = self.document.version();
        told.map(|Finding { rule, seen }| format!("schema of {version}: {about}: {rule}: {seen}")).collect()
    }
}

/// Whether it is listed that a document does not have an operation, as `GET /v1/coupons`.
fn need_not_have(document: &Document, operation: &str) -> bool {
    NOT_DESCRIBED.iter().any(|(version, start, _)| *version == document.version() && begins_with(operation, start))
}

/// Whether an operation is one of those that are listed by their method and the beginning of their path, or by the
/// latter alone.
fn begins_with(operation: &str, start: &str) -> bool {
    operation.starts_with(start) || operation.split_once(' ').is_some_and(|(_, path)| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cusp::dialects::stripe::routes::OPERATIONS;

    use super::{
        Count, Described, Documents, FOLDER, KEYS, Measure, NOT_DESCRIBED, begins_with, documents, need_not_have,
        newest_of,
    };
    use crate::http::Reply;
    use crate::json::Json;
    use crate::openapi::Document;

    /// A document that has one operation.
    const SMALL: &str = r##"{
        "info": {"version": "2020-08-27"},
        "paths": {"/v1/customers/{customer}": {"get": {"responses": {"200": {"content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/customer"}
        }}}}}}},
        "components": {"schemas": {
            "customer": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "object": {"type": "string"}},
                "required": ["name"]
            },
            "deleted_customer": {"type": "object", "properties": {"deleted": {}, "object": {}}},
            "error": {"type": "object", "properties": {"error": {"type": "object"}}, "required": ["error"]},
            "event": {"type": "object", "properties": {
                "api_version": {}, "data": {}, "object": {}, "type": {}
            }, "required": ["type"]}
        }}
    }"##;

    /// Nextest shows what this one prints.
    #[test]
    fn the_documents_are_at_hand() {
        let Some(documents) = documents() else {
            println!("{FOLDER} names no folder of documents: no answer is held against Stripe's schemas");
            return;
        };
        let versions: Vec<&str> = documents.0.iter().map(|described| described.document().version()).collect();
        println!("answers are held against Stripe's schemas of {}", versions.join(" and "));
    }

    #[test]
    fn the_documents_have_every_operation_but_those_that_are_listed() {
        let mut amiss = Vec::new();
        for document in documents().map_or(&[][..], |documents| &documents.0).iter().map(Described::document) {
            for operation in operations() {
                let (method, path) = operation.split_once(' ').unwrap();
                match (document.answer(method, path), need_not_have(document, &operation)) {
                    (Some(_), false) | (None, true) => {}
                    (Some(_), true) => amiss.push(format!("{} has {operation}: take it off", document.version())),
                    (None, false) => amiss.push(format!("{} does not have {operation}: list it", document.version())),
                }
            }
        }
        for (version, start, _) in NOT_DESCRIBED {
            if !operations().any(|operation| begins_with(&operation, start)) {
                amiss.push(format!("no operation begins with {start}: take it off for {version}"));
            }
        }
        assert!(amiss.is_empty(), "NOT_DESCRIBED:\n{}", amiss.join("\n"));
    }

    fn operations() -> impl Iterator<Item = String> {
        OPERATIONS.iter().map(|operation| format!("{} {}", operation.method, operation.path))
    }

    #[test]
    fn the_documents_do_not_have_the_keys_that_are_listed() {
        let Some(documents) = documents() else { return };
        for (version, schema, key, _) in KEYS {
            let Some(described) = documents.of_version(version) else { continue };
            let schema = described.document().schema(schema).unwrap_or_else(|| panic!("{version} has no {schema}"));
            assert!(schema["properties"].get(key).is_none(), "{version} has {key}: take it off the list");
        }
    }

    #[test]
    fn a_document_describes_versions_that_show_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let of = |version: &str| Documents::of(folder.path()).unwrap().of_version(version).map(|found| found.version);
        assert_eq!(of("2020-08-27"), None);
        fs::write(folder.path().join("spec3-2022-04.json"), "{}").unwrap();
        assert_eq!(of("2026-10-28.endive"), None);
        for name in ["spec3-2022-04.json", "spec3-2026-08-26.dahlia.json", "fixtures3.json"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        for (version, described) in [
            ("2019-10-17", None),
            ("2020-08-27", Some("2020-08-27")),
            ("2022-08-01", Some("2020-08-27")),
            ("2022-11-15", None),
            ("2025-12-15.clover", None),
            ("2026-06-24.dahlia", Some("2026-08-26.dahlia")),
            ("2026-08-26.dahlia", Some("2026-08-26.dahlia")),
            ("2026-10-28.endive", Some("2026-08-26.dahlia")),
        ] {
            assert_eq!(of(version), described, "{version}");
        }
        assert_eq!(newest_of("2018-01"), None);
        fs::write(folder.path().join("spec3-2022-05.json"), "{}").unwrap();
        assert!(Documents::of(folder.path()).is_err_and(|trouble| trouble.contains("of one version")));
        assert!(Documents::of(&folder.path().join("none")).is_err());
    }

    #[test]
    fn what_is_listed_is_not_told() {
        let document = Document::parse(SMALL).unwrap();
        let measure = |version| Measure { version, document: &document };
        let customer = Json::parse(r#"{"object": "customer", "name": "a", "cash_balance": null}"#).unwrap();
        let answer = |version, target| measure(version).answer("GET", target, &customer);
        assert_eq!(answer("2020-08-27", "/v1/customers/cus_1?a=b"), Some(Vec::new()));
        assert_eq!(answer("2020-08-27", "/stripe/v1/customers/cus_1"), Some(Vec::new()));
        let early = answer("2019-10-17", "/v1/customers/cus_1").unwrap();
        assert!(early[0].contains("customer.cash_balance is a key that the schema does not have"), "{early:?}");
        assert_eq!(answer("2020-08-27", "/v1/customers/cus_1/cash_balance"), None);
        let told = answer("2020-08-27", "/v1/coupons/c").unwrap();
        assert_eq!(told, ["the schema of 2020-08-27 does not have GET /v1/coupons/{coupon}"]);
        assert!(begins_with("POST /v1/coupons", "POST /v1/c") && begins_with("POST /v1/coupons", "/v1/coupons"));
        assert!(!begins_with("POST /v1/coupons", "GET /v1/coupons"));
    }

    #[test]
    fn replies_and_events_are_held_against_their_version() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec3-2022-04.json"), SMALL).unwrap();
        let documents = Documents::of(folder.path()).unwrap();
        let event = |object: &str| {
            format!(
                r#"{{"object": "event", "api_version": "2022-08-01", "type": "t", "data": {{"object": {object}}}}}"#
            )
        };
        for (status, version, body, findings) in [
            (200, "2020-08-27", r#"{"object": "customer", "name": "a"}"#, 0),
            (200, "2020-08-27", r#"{"object": "customer", "name": 3}"#, 1),
            (200, "2022-08-01", "[]", 1),
            (200, "", r#"{"object": "customer", "name": "a"}"#, 1),
            (200, "2019-10-17", "[]", 0),
            (200, "2020-08-27", "", 0),
            (200, "2020-08-27", "{", 1),
            (404, "2020-08-27", r#"{"error": {}}"#, 0),
            (404, "2020-08-27", "{}", 1),
            (404, "", "{}", 0),
            (500, "", "oops", 1),
            // Of the event itself nothing is asked in a version without a document; what it tells is in its own.
            (200, "2019-10-17", &event(r#"{"object": "customer", "name": 3}"#), 1),
            (200, "2019-10-17", &format!(r#"{{"data": [{}]}}"#, event(r#"{"object": "card"}"#)), 1),
        ] {
            let headers = [("Stripe-Version".to_owned(), version.to_owned())].into_iter();
            let headers = headers.filter(|(_, version)| !version.is_empty()).collect();
            let reply = Reply { status, headers, body: body.as_bytes().to_vec() };
            let found = documents.unexpected_answer("GET", "/v1/customers/cus_1", &reply, &Count::default());
            assert_eq!(found.len(), findings, "{status} {version} {body}: {found:?}");
        }
        for (data, findings) in [
            (r#"{"object": "customer", "name": "a"}"#, 0),
            (r#"{"object": "customer", "name": "a"}, "previous_attributes": {"name": null}"#, 0),
            (r#"{"object": "customer", "name": "a"}, "previous_attributes": {"name": 3, "nick": "b"}"#, 2),
            (r#"{"object": "customer", "deleted": true}"#, 0),
            (r#"{"object": "customer"}"#, 1),
            (r#"{"object": "card"}"#, 1),
            ("null", 1),
        ] {
            let found = documents.unexpected_event(&Json::parse(&event(data)).unwrap(), &Count::default());
            assert_eq!(found.len(), findings, "{data}: {found:?}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no /info/version")]
    fn a_document_that_cannot_be_read_fails() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec3-2022-04.json"), "{}").unwrap();
        Documents::of(folder.path()).unwrap().0[0].document();
    }
}
