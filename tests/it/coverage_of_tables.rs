//! What the transcripts have to show of the APIs that are tables: every operation answering and refusing, every member and
//! parameter accepted, refused and `null`. What they do not show yet is listed in [`NOT_YET`], which may only shrink.

use std::collections::BTreeSet;

use cusp::http::given::Value;
use cusp::rest::{Member, Operation, Shape};
use hyper::Method;

use crate::cases::{below, root};
use crate::documented::{apis, asked};
use crate::transcript::{Body, Exchange, ExpectedBody, What, filled_in};

/// What no transcript shows yet. Never add to it: write the transcript.
const NOT_YET: &[&str] = &[];

#[test]
fn the_transcripts_show_all_that_the_tables_have() {
    let (wanted, shown) = (wanted(), shown());
    let missing: BTreeSet<String> = wanted.difference(&shown).cloned().collect();
    let excused: BTreeSet<String> = NOT_YET.iter().map(|name| (*name).to_owned()).collect();
    let new: Vec<&String> = missing.difference(&excused).collect();
    let done: Vec<&String> = excused.difference(&missing).collect();
    assert!(new.is_empty(), "no transcript shows:\n{new:#?}");
    assert!(done.is_empty(), "shown by now, take it off the list:\n{done:#?}");
}

fn wanted() -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    for operation in apis().flat_map(|api| api.operations) {
        let name = named(operation);
        wanted.extend([format!("{name} answers"), format!("{name} refuses")]);
        for member in operation.query {
            wanted.extend([format!("{name} accepts {}", member.name), format!("{name} refuses {}", member.name)]);
        }
        for (path, member) in operation.body().map(|shape| rows("", shape)).unwrap_or_default() {
            wanted.extend([format!("{name} accepts {path}"), format!("{name} refuses {path}")]);
            if makes(operation) && member.read_only {
                wanted.remove(&format!("{name} accepts {path}"));
            }
            let reaction = if member.nullable { "accepts" } else { "refuses" };
            wanted.insert(format!("{name} {reaction} null {path}"));
        }
    }
    wanted
}

/// Whether it makes something new. What only the server says of that is not said yet, so nothing is true of it.
fn makes(operation: &Operation) -> bool {
    operation.method == Method::POST && operation.parts.is_empty()
}

/// The members of a body with their paths, in which items of lists have no places.
fn rows(prefix: &str, shape: &Shape) -> Vec<(String, Member)> {
    match shape {
        Shape::Object(members) => {
            let mut found = Vec::new();
            for member in *members {
                let path = if prefix.is_empty() { member.name.to_owned() } else { format!("{prefix}.{}", member.name) };
                found.extend(rows(&path, &member.shape));
                found.push((path, *member));
            }
            found
        }
        Shape::Component(component) => rows(prefix, &component.shape),
        Shape::List(item, ..) => rows(prefix, item),
        Shape::Leniently { strict, .. } => rows(prefix, strict),
        Shape::Text(_)
        | Shape::Word(_)
        | Shape::Whole(..)
        | Shape::Number(_)
        | Shape::Money(..)
        | Shape::Flag
        | Shape::Map(_)
        | Shape::Data(_)
        | Shape::Any(_)
        | Shape::AnyOf(_) => Vec::new(),
    }
}

fn named(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

fn shown() -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    for (_, transcript) in below(&root()) {
        for step in transcript.iter().flat_map(|transcript| &transcript.steps) {
            if let What::Exchange(exchange) = &step.what {
                note(exchange, &mut shown);
            }
        }
    }
    shown
}

fn note(exchange: &Exchange, shown: &mut BTreeSet<String>) {
    let target = filled(&exchange.target);
    let Some((_, Some(operation))) = asked(&exchange.method, &target, &exchange.sent.headers) else { return };
    let name = named(operation);
    let mut sent = Vec::new();
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // One that begins like a row with a star is of that row.
        let begins = |member: &&Member| member.name.strip_suffix('*').is_some_and(|start| key.starts_with(start));
        let row = operation.query.iter().find(begins).map_or(key, |member| member.name);
        sent.push((row.to_owned(), Value::Text(value.to_owned())));
        if row != key && exchange.reply.status >= 400 && blamed(&exchange.reply.body).iter().any(|path| path == key) {
            shown.insert(format!("{name} refuses {row}"));
        }
    }
    match &exchange.sent.body {
        Body::Json(text) | Body::Raw(text) => {
            if let Ok(value) = Value::of_json(filled(text).as_bytes()) {
                leaves("", &value, &mut sent);
            }
        }
        Body::Pairs(pairs) => {
            sent.extend(pairs.iter().map(|(name, value)| (name.clone(), Value::Text(value.clone()))));
        }
        Body::Nothing => {}
    }
    let answered = exchange.reply.status < 400;
    shown.insert(format!("{name} {}", if answered { "answers" } else { "refuses" }));
    let blamed = if answered { Vec::new() } else { blamed(&exchange.reply.body) };
    for (path, value) in &sent {
        let null = if *value == Value::Null { "null " } else { "" };
        let bare = without_places(path);
        if answered {
            shown.insert(format!("{name} accepts {null}{bare}"));
        } else if blamed.contains(path) {
            shown.insert(format!("{name} refuses {null}{bare}"));
        }
    }
    // What is missing, and what is within what is wrong.
    shown.extend(
        blamed
            .iter()
            .filter(|path| !sent.iter().any(|(known, _)| known == *path))
            .map(|path| format!("{name} refuses {}", without_places(path))),
    );
    for path in &blamed {
        let mut outer = without_places(path);
        while let Some((end, _)) = outer.rsplit_once('.') {
            outer = end.to_owned();
            shown.insert(format!("{name} refuses {outer}"));
        }
    }
}

/// Every value with its path, those of objects and lists before what is in them.
fn leaves(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if !path.is_empty() {
        found.push((path.to_owned(), value.clone()));
    }
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| leaves(&inside(key), value, found)),
        Value::List(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(&inside(&at.to_string()), item, found));
        }
        Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn without_places(path: &str) -> String {
    let names = path.split('.').filter(|part| part.parse::<usize>().is_err());
    names.collect::<Vec<_>>().join(".")
}

/// The paths that the expected refusal names: `details[].field` in one API, `error.details[].path` in another.
fn blamed(expected: &ExpectedBody) -> Vec<String> {
    let (ExpectedBody::Subset(text) | ExpectedBody::Exactly(text)) = expected else { return Vec::new() };
    let Ok(value) = Value::of_json(filled(text).as_bytes()) else { return Vec::new() };
    let details = member(&value, "details").or_else(|| member(member(&value, "error")?, "details"));
    let Some(Value::List(details)) = details else { return Vec::new() };
    let path = |detail| match member(detail, "field").or_else(|| member(detail, "path")) {
        Some(Value::Text(path)) => Some(path.clone()),
        Some(_) | None => None,
    };
    details.iter().filter_map(path).collect()
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value),
        Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
    }
}

fn filled(text: &str) -> String {
    filled_in(text, &|_| Ok("0".to_owned())).unwrap_or_else(|_| text.to_owned())
}
