//! Free data in and out.

use crate::domain::data::{Entries, Value};
use crate::http::given;
use crate::http::json::{Json, Object};
use crate::rest::Fields;

/// Free data that was given.
pub fn read(given: Fields) -> Entries {
    given.all().into_iter().map(|(name, value)| (name, kept(value))).collect()
}

fn kept(value: given::Value) -> Value {
    match value {
        given::Value::Null => Value::Null,
        given::Value::Flag(flag) => Value::Flag(flag),
        given::Value::Whole(number) => Value::Whole(number),
        // A number that is beyond what is kept as one is kept as its text.
        given::Value::Number(text) => Value::number(&text).unwrap_or(Value::Text(text)),
        given::Value::Text(text) => Value::Text(text),
        given::Value::List(values) => Value::List(values.into_iter().map(kept).collect()),
        given::Value::Object(members) => {
            Value::Map(members.into_iter().map(|(name, value)| (name, kept(value))).collect())
        }
    }
}

/// Free data as it is kept.
pub fn object(entries: &Entries) -> Object {
    let mut shown = Object::new();
    for (name, value) in entries {
        shown.add(name.clone(), json(value));
    }
    shown
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Flag(flag) => Json::Bool(*flag),
        Value::Whole(number) => Json::Integer(*number),
        Value::Number(number) => Json::Number(number.clone()),
        Value::Text(text) => text.into(),
        Value::List(values) => Json::List(values.iter().map(json).collect()),
        Value::Map(entries) => object(entries).into(),
    }
}
