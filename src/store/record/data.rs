//! The shape of free data: as JSON has it, but for what JSON's readers do not all keep. `{"n":"1.5"}` is a number that is
//! not a whole one of 64 bits, `{"m":{…}}` is a map.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::Text;
use crate::domain::data::{Entries, Value};

const NUMBER: &str = "n";
const MAP: &str = "m";

/// The entries of a map.
pub(super) type EntriesShape<'a> = BTreeMap<Text<'a>, ValueShape<'a>>;

/// A value.
pub(super) struct ValueShape<'a>(Cow<'a, Value>);

pub(super) fn borrowed_entries(entries: &Entries) -> EntriesShape<'_> {
    let entry = |(name, value)| (Cow::Borrowed(String::as_str(name)), ValueShape(Cow::Borrowed(value)));
    entries.iter().map(entry).collect()
}

pub(super) fn owned_entries(entries: EntriesShape<'_>) -> Entries {
    entries.into_iter().map(|(name, ValueShape(value))| (name.into_owned(), value.into_owned())).collect()
}

pub(super) fn borrowed_value(value: &Value) -> ValueShape<'_> {
    ValueShape(Cow::Borrowed(value))
}

pub(super) fn owned_value(ValueShape(value): ValueShape<'_>) -> Value {
    value.into_owned()
}

impl Serialize for ValueShape<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.as_ref() {
            Value::Null => to.serialize_unit(),
            Value::Flag(flag) => to.serialize_bool(*flag),
            Value::Whole(number) => to.serialize_i64(*number),
            Value::Text(text) => to.serialize_str(text),
            Value::List(values) => to.collect_seq(values.iter().map(|value| ValueShape(Cow::Borrowed(value)))),
            Value::Number(text) => {
                let mut tagged = to.serialize_map(Some(1))?;
                tagged.serialize_entry(NUMBER, text)?;
                tagged.end()
            }
            Value::Map(entries) => {
                let mut tagged = to.serialize_map(Some(1))?;
                tagged.serialize_entry(MAP, &borrowed_entries(entries))?;
                tagged.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for ValueShape<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue).map(|value| ValueShape(Cow::Owned(value)))
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "free data")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Whole).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(ValueShape(value)) = from.next_element()? {
            values.push(value.into_owned());
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let value = match from.next_key::<Text<'_>>()?.as_deref() {
            Some(NUMBER) => Value::Number(from.next_value()?),
            Some(MAP) => Value::Map(owned_entries(from.next_value()?)),
            Some(_) | None => return Err(de::Error::custom("neither a number nor a map")),
        };
        match from.next_key::<Text<'_>>()? {
            None => Ok(value),
            Some(_) => Err(de::Error::custom("more than a number or a map")),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::{EntriesShape, borrowed_entries, owned_entries};
    use crate::domain::data::{Entries, Value};

    fn read(body: &str) -> Option<Entries> {
        serde_json::from_str::<EntriesShape<'static>>(body).ok().map(owned_entries)
    }

    #[test]
    fn a_value_is_short_on_disk() {
        let number = Value::Number("1.5".into());
        let list = Value::List(vec![Value::Null, Value::Flag(true), Value::Whole(-3), Value::Text("x".into())]);
        let inner = Entries::from([("n".into(), number)]);
        let entries = Entries::from([("a".into(), list), ("b".into(), Value::Map(inner))]);
        let body = r#"{"a":[null,true,-3,"x"],"b":{"m":{"n":{"n":"1.5"}}}}"#;
        assert_eq!(serde_json::to_string(&borrowed_entries(&entries)).ok().as_deref(), Some(body));
        assert_eq!(read(body), Some(entries));
    }

    #[test]
    fn what_is_neither_a_number_nor_a_map_is_refused() {
        for value in ["{}", r#"{"x":1}"#, r#"{"n":1}"#, r#"{"n":"1.5","m":{}}"#, "1.5", "18446744073709551615"] {
            assert_eq!(read(&format!(r#"{{"a":{value}}}"#)), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn every_value_is_read_as_it_was_written(entries in entries()) {
            let body = serde_json::to_string(&borrowed_entries(&entries)).unwrap();
            prop_assert_eq!(read(&body), Some(entries));
        }
    }

    /// Free data of any sort, up to four levels deep.
    pub(crate) fn entries() -> impl Strategy<Value = Entries> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Flag),
            any::<i64>().prop_map(Value::Whole),
            any::<i32>().prop_map(|number| Value::Number(format!("{number}.5"))),
            any::<String>().prop_map(Value::Text),
        ];
        let value = leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::List),
                btree_map(any::<String>(), inner, 0..4).prop_map(Value::Map),
            ]
        });
        btree_map(any::<String>(), value, 0..4).boxed()
    }
}
