//! Holds answers and events against the schemas that Stripe publishes, when a folder of them is at hand: each against
//! the document of its version. What we say otherwise than those documents is listed here with its reason.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use cusp::dialects::stripe::routes::{Found, Routes};
use cusp::dialects::stripe::versions::{LISTED, NEWEST, SAME_AS_BEFORE};
use hyper::Method;

use crate::http::Reply;
use crate::json::Json;
use crate::openapi::{Document, Extent, Finding, unknown_key};

/// The variable that names the folder. Its documents are called `spec3-` and what they are of, a month or a version:
/// `spec3-2022-04.json`, `spec3-2026-08-26.dahlia.json`.
const FOLDER: &str = "CUSP_STRIPE_OPENAPI";

/// Operations of ours that a document does not have: its version, what their paths begin with, why.
const NOT_DESCRIBED: &[(&str, &str, &str)] = &[(
    "2020-08-27",
    "/v1/customers/{customer}/cash_balance",
    "cash balances came in May 2022, a month after the document, while its version was current",
)];

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
const OTHERWISE: &[(&str, &str, &str)] = &[(
    "2020-08-27",
    "customer_balance_transaction.customer is none of the kinds that it may be",
    "of a customer that was deleted there is nothing else to show than that",
)];

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

    /// The document of a version: it describes its own, those that show the same as its own, and the newest document
    /// all later ones too.
    fn of_version(&self, version: &str) -> Option<&Described> {
        let (place, described) =
            self.0.iter().enumerate().rfind(|(_, described)| listed_for(described.version) <= listed_for(version))?;
        let alike = listed_for(described.version) == listed_for(version);
        (alike || place + 1 == self.0.len()).then_some(described)
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

/// What is wrong with a reply by the document of its version.
pub fn unexpected_answer(method: &str, target: &str, reply: &Reply, count: &Count) -> Vec<String> {
    let Some(documents) = documents() else { return Vec::new() };
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
    let measure = Measure::of_version(documents, version);
    if reply.status >= 400 {
        return count.settle(measure.map(|measure| measure.named("the refusal", "error", &json)));
    }
    let mut found = count.settle(measure.and_then(|measure| measure.answer(method, target, &json)));
    let listed = json.get("data").map_or(&[][..], Json::items);
    for event in listed.iter().chain([&json]).filter(|json| text_of(json, "object") == "event") {
        found.extend(count.settle(event_data(documents, event)));
    }
    found
}

/// What is wrong with an event, told in the version of its account, by the document of that version.
pub fn unexpected_event(event: &Json, count: &Count) -> Vec<String> {
    let Some(documents) = documents() else { return Vec::new() };
    let measure = Measure::of_version(documents, text_of(event, "api_version"));
    let mut found = count.settle(measure.map(|measure| measure.named(text_of(event, "type"), "event", event)));
    found.extend(count.settle(event_data(documents, event)));
    found
}

/// What is wrong with what an event tells about: an object with a schema of its own, and those of its keys that changed.
fn event_data(documents: &Documents, event: &Json) -> Option<Vec<String>> {
    let measure = Measure::of_version(documents, text_of(event, "api_version"))?;
    let about = text_of(event, "type");
    let object = event.at("data.object").unwrap_or(&Json::Null);
    let kind = text_of(object, "object");
    let mut found = measure.named(about, kind, object);
    if let (Some(schema), Some(previous)) = (measure.document.schema(kind), event.at("data.previous_attributes")) {
        let about = format!("the previous attributes of {about}");
        found.extend(measure.lines(&about, measure.document.findings(kind, schema, previous, Extent::Part)));
    }
    Some(found)
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
        static ROUTES: LazyLock<Routes> = LazyLock::new(Routes::all);
        let operation = match method.parse().map(|method: Method| ROUTES.find(&method, path)) {
            Ok(Found::Operation(operation, _)) => operation.path,
            Ok(Found::OtherMethod(_) | Found::Nothing) | Err(_) => path,
        };
        let name = format!("{method} {operation}");
        match self.document.answer(method, path) {
            Some(schema) => Some(self.lines(&name, self.document.findings(&name, schema, json, Extent::Whole))),
            None if need_not_have(self.document, operation) => None,
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

/// Whether it is known that a document does not have an operation.
fn need_not_have(document: &Document, path: &str) -> bool {
    NOT_DESCRIBED.iter().any(|(version, start, _)| *version == document.version() && path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cusp::dialects::stripe::routes::{OPERATIONS, Operation};

    use super::{Described, Documents, FOLDER, KEYS, NOT_DESCRIBED, documents, need_not_have, newest_of};

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
        for document in documents().map_or(&[][..], |documents| &documents.0).iter().map(Described::document) {
            for Operation { method, path, .. } in &OPERATIONS {
                match (document.answer(method.as_str(), path), need_not_have(document, path)) {
                    (Some(_), false) | (None, true) => {}
                    (Some(_), true) => panic!("{} has {method} {path}: take it off the list", document.version()),
                    (None, false) => panic!("{} does not have {method} {path}: list it", document.version()),
                }
            }
        }
        for (version, start, _) in NOT_DESCRIBED {
            let used = OPERATIONS.iter().any(|operation| operation.path.starts_with(start));
            assert!(used, "no operation begins with {start}: take it off the list of {version}");
        }
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
    #[should_panic(expected = "there is no /info/version")]
    fn a_document_that_cannot_be_read_fails() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec3-2022-04.json"), "{}").unwrap();
        Documents::of(folder.path()).unwrap().0[0].document();
    }
}
