//! JSON that remembers the order of its keys, and the comparison of what was expected with what came. A string in
//! angle brackets in an expectation stands for a kind of value: see [`Wish`].

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole text. A key that is there twice is an error.
    pub fn parse(text: &str) -> Result<Json, String> {
        serde_json::from_str(text).map_err(|trouble| trouble.to_string())
    }

    /// The value of a key of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(entries) => entries.iter().find(|(own, _)| own == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at a dotted path, where numbers count elements of arrays.
    pub fn at(&self, path: &str) -> Option<&Json> {
        path.split('.').try_fold(self, |value, step| match value {
            Json::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => value.get(step),
        })
    }

    /// The elements of an array, none of anything else.
    pub fn items(&self) -> &[Json] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Over several lines, as replies are shown in reports.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_indented(self, 0, f)
    }
}

fn write_indented(value: &Json, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quoted = |text: &str| serde_json::to_string(text).expect("text can be written as JSON");
    let pad = "  ".repeat(depth + 1);
    match value {
        Json::Null => f.write_str("null"),
        Json::Bool(truth) => write!(f, "{truth}"),
        Json::Number(number) => write!(f, "{number}"),
        Json::Text(text) => f.write_str(&quoted(text)),
        Json::Array(items) if items.is_empty() => f.write_str("[]"),
        Json::Object(entries) if entries.is_empty() => f.write_str("{}"),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                write!(f, "{}{pad}", if index == 0 { "[\n" } else { ",\n" })?;
                write_indented(item, depth + 1, f)?;
            }
            write!(f, "\n{}]", "  ".repeat(depth))
        }
        Json::Object(entries) => {
            for (index, (key, item)) in entries.iter().enumerate() {
                write!(f, "{}{pad}{}: ", if index == 0 { "{\n" } else { ",\n" }, quoted(key))?;
                write_indented(item, depth + 1, f)?;
            }
            write!(f, "\n{}}}", "  ".repeat(depth))
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
                Ok(Json::Bool(truth))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json::Number(number.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json::Number(number.into()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
                serde_json::Number::from_f64(number).map(Json::Number).ok_or_else(|| E::custom("not a number"))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut array = Vec::new();
                while let Some(item) = items.next_element()? {
                    array.push(item);
                }
                Ok(Json::Array(array))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
                let mut object: Vec<(String, Json)> = Vec::new();
                while let Some((key, value)) = entries.next_entry::<String, Json>()? {
                    if object.iter().any(|(own, _)| *own == key) {
                        return Err(A::Error::custom(format!("the key {key:?} is there twice")));
                    }
                    object.push((key, value));
                }
                Ok(Json::Object(object))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// What a string in angle brackets stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish<'a> {
    /// `<any>`: anything, `null` included.
    Any,
    /// `<absent>`: the key is not there.
    Absent,
    /// `<int>`: a whole number.
    Int,
    /// `<bool>`: true or false.
    Bool,
    /// `<text>`: a string that is not empty.
    Text,
    /// `<id:cus_>`: an id that begins so and goes on with letters and digits.
    Id(&'a str),
    /// `<like:No such *>`: a string in which `*` stands for anything.
    Like(&'a str),
}

impl<'a> Wish<'a> {
    /// The wish that a string spells; `None` when it is an ordinary string, an error when it is a misspelt wish.
    pub fn spelt(text: &'a str) -> Result<Option<Wish<'a>>, String> {
        let Some(inner) = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else { return Ok(None) };
        let wish = match (inner, inner.split_once(':')) {
            ("any", _) => Wish::Any,
            ("absent", _) => Wish::Absent,
            ("int", _) => Wish::Int,
            ("bool", _) => Wish::Bool,
            ("text", _) => Wish::Text,
            (_, Some(("id", prefix))) if prefix.ends_with('_') => Wish::Id(prefix),
            (_, Some(("like", pattern))) if pattern.contains('*') => Wish::Like(pattern),
            _ => return Err(format!("{text} is no wildcard")),
        };
        Ok(Some(wish))
    }

    /// Whether a string grants the wish.
    pub fn granted_by_text(&self, text: &str) -> bool {
        match self {
            Wish::Any => true,
            Wish::Absent | Wish::Int | Wish::Bool => false,
            Wish::Text => !text.is_empty(),
            Wish::Id(prefix) => text
                .strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())),
            Wish::Like(pattern) => alike(pattern, text),
        }
    }

    fn granted_by(&self, value: &Json) -> bool {
        match (self, value) {
            (Wish::Any, _) | (Wish::Bool, Json::Bool(_)) => true,
            (Wish::Int, Json::Number(number)) => number.is_i64() || number.is_u64(),
            (_, Json::Text(text)) => self.granted_by_text(text),
            _ => false,
        }
    }
}

fn alike(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// How strictly objects are compared. Arrays always have to have the same length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// The keys that are expected are there; others may be.
    Subset,
    /// The same keys.
    SameKeys,
    /// The same keys in the same order.
    SameOrder,
}

/// Says where an expectation is misspelt: wildcards that do not exist, `<absent>` where nothing can be absent.
pub fn check_spelling(expected: &Json) -> Result<(), String> {
    match expected {
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
        Json::Text(text) => match Wish::spelt(text)? {
            Some(Wish::Absent) => Err("<absent> stands for a key's value only".to_owned()),
            _ => Ok(()),
        },
        Json::Array(items) => items.iter().try_for_each(check_spelling),
        Json::Object(entries) => entries.iter().try_for_each(|(_, value)| match value {
            Json::Text(text) if text == "<absent>" => Ok(()),
            _ => check_spelling(value),
        }),
    }
}

/// What is not as expected, one line each; empty when all is.
pub fn differences(expected: &Json, actual: &Json, manner: Manner) -> Vec<String> {
    let mut found = Vec::new();
    compare("", expected, actual, manner, &mut found);
    found
}

fn compare(path: &str, expected: &Json, actual: &Json, manner: Manner, found: &mut Vec<String>) {
    let place = if path.is_empty() { "the whole" } else { path };
    match (expected, actual) {
        (Json::Text(text), _) if matches!(Wish::spelt(text), Ok(Some(_))) => {
            let wish = Wish::spelt(text).ok().flatten().expect("it was spelt above");
            if !wish.granted_by(actual) {
                found.push(format!("{place}: expected {text}, got {actual}"));
            }
        }
        (Json::Object(wanted), Json::Object(there)) => {
            for (key, value) in wanted {
                let inner = format!("{path}{}{key}", if path.is_empty() { "" } else { "." });
                match (value, actual.get(key)) {
                    (Json::Text(text), None) if text == "<absent>" => {}
                    (Json::Text(text), Some(value)) if text == "<absent>" => {
                        found.push(format!("{inner}: expected no such key, got {value}"));
                    }
                    (_, None) => found.push(format!("{inner}: expected {value}, got no such key")),
                    (_, Some(value_there)) => compare(&inner, value, value_there, manner, found),
                }
            }
            // An empty object would be a subset of every object and expect nothing: it stands for itself.
            if manner == Manner::Subset && !wanted.is_empty() {
                return;
            }
            for (key, value) in there {
                if expected.get(key).is_none() {
                    found.push(format!("{path}.{key}: not expected, got {value}"));
                }
            }
            let order = |entries: &[(String, Json)]| entries.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
            if manner == Manner::SameOrder && found.is_empty() && order(wanted) != order(there) {
                found.push(format!("{place}: expected keys in the order {:?}, got {:?}", order(wanted), order(there)));
            }
        }
        (Json::Array(wanted), Json::Array(there)) => {
            if wanted.len() != there.len() {
                found.push(format!("{place}: expected {} elements, got {}", wanted.len(), there.len()));
            }
            for (index, (value, value_there)) in wanted.iter().zip(there).enumerate() {
                compare(&format!("{path}[{index}]"), value, value_there, manner, found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{place}: expected {expected}, got {actual}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Manner, check_spelling, differences};

    #[test]
    fn what_differs_is_found_and_what_does_not_is_not() {
        let actual = r#"{"id": "cus_01", "n": 3, "list": [1, {"a": null, "b": "x y"}], "empty": {}}"#;
        for (expected, manner, count) in [
            (r#"{"id": "cus_01"}"#, Manner::Subset, 0),
            (r#"{"id": "<id:cus_>", "n": "<int>", "gone": "<absent>"}"#, Manner::Subset, 0),
            (r#"{"list": [1, {"b": "<like:x*>"}]}"#, Manner::Subset, 0),
            (r#"{"list": [1]}"#, Manner::Subset, 1),
            (r#"{"id": "<id:evt_>"}"#, Manner::Subset, 1),
            (r#"{"id": "<absent>"}"#, Manner::Subset, 1),
            (r#"{"id": "<int>", "n": "<text>"}"#, Manner::Subset, 2),
            (r#"{"gone": null}"#, Manner::Subset, 1),
            (r#"{"n": "3"}"#, Manner::Subset, 1),
            (r#"{"empty": {}}"#, Manner::Subset, 0),
            (r#"{"list": [1, {}]}"#, Manner::Subset, 2),
            (r#"{"id": "cus_01"}"#, Manner::SameKeys, 3),
            (r#"{"n": 3, "id": "cus_01", "empty": {}, "list": "<any>"}"#, Manner::SameKeys, 0),
            (r#"{"id": "cus_01", "n": 3, "empty": {}, "list": [1, {"a": null, "b": "x y"}]}"#, Manner::SameOrder, 1),
            (r#"{"id": "cus_01", "n": 3, "list": [1, {"a": null, "b": "x y"}], "empty": {}}"#, Manner::SameOrder, 0),
        ] {
            let found = differences(&Json::parse(expected).unwrap(), &Json::parse(actual).unwrap(), manner);
            assert_eq!(found.len(), count, "{expected} {manner:?}: {found:?}");
        }
    }

    #[test]
    fn misspelt_expectations_are_refused() {
        for text in [r#"{"a": "<itn>"}"#, r#"{"a": ["<absent>"]}"#, r#"{"a": "<id:cus>"}"#, r#"{"a": "<like:plain>"}"#]
        {
            assert!(check_spelling(&Json::parse(text).unwrap()).is_err(), "{text}");
        }
        assert!(Json::parse(r#"{"a": 1, "a": 1}"#).is_err());
        assert!(Json::parse(r#"{"a": 1} x"#).is_err());
    }
}
