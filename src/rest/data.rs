//! Free data between JSON and the record.

use super::fields::Field;
use crate::domain::data::{Entries, Value as Kept};
use crate::http::given::Value;
use crate::http::json::{Json, Object};

impl Field for Entries {
    fn of(value: Value) -> Option<Entries> {
        if let Kept::Map(entries) = kept(value) { Some(entries) } else { None }
    }
}

/// The value as it is kept. Its numbers were judged when it was read.
fn kept(value: Value) -> Kept {
    match value {
        Value::Null => Kept::Null,
        Value::Flag(flag) => Kept::Flag(flag),
        Value::Whole(number) => Kept::Whole(number),
        Value::Number(text) => Kept::number(&text).expect("a number that cannot be kept was refused"),
        Value::Text(text) => Kept::Text(text),
        Value::List(items) => Kept::List(items.into_iter().map(kept).collect()),
        Value::Object(entries) => Kept::Map(entries.into_iter().map(|(key, value)| (key, kept(value))).collect()),
    }
}

impl Field for Kept {
    fn of(value: Value) -> Option<Kept> {
        Some(kept(value))
    }
}

/// The free data as JSON.
pub fn json(entries: &Entries) -> Json {
    let mut told = Object::default();
    for (key, value) in entries {
        told.add(key.clone(), self::value(value));
    }
    told.into()
}

/// A value of free data as JSON.
pub fn value(value: &Kept) -> Json {
    match value {
        Kept::Null => Json::Null,
        Kept::Flag(flag) => Json::Bool(*flag),
        Kept::Whole(number) => Json::Integer(*number),
        Kept::Number(text) => Json::Number(text.clone()),
        Kept::Text(text) => text.into(),
        Kept::List(items) => items.iter().map(self::value).collect::<Vec<_>>().into(),
        Kept::Map(entries) => json(entries),
    }
}
