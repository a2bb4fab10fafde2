//! JSON on its way out: an ordered tree that dialects build, edit and compare, and its bytes. Keys of objects are mostly
//! constants, so making one costs no copies of them and no hashing.

use std::borrow::Cow;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Hundredths, written as a number that always has a point, as `25.5` and `25.0`.
    Hundredths(i64),
    /// So many parts of one, of which each has so many decimals, written in the shortest way: 12900 of two is `129`, 8950
    /// is `89.5`.
    Decimal(i64, u32),
    /// Any number, as JSON writes it.
    Number(String),
    /// Text.
    Text(Cow<'static, str>),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Object),
}

/// An object: keys in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(Cow<'static, str>, Json)>);

impl Object {
    /// An object without keys.
    pub fn new() -> Object {
        Object(Vec::with_capacity(32))
    }

    /// Adds a key at the end. The caller sees to it that it is not there.
    pub fn add(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Json>) {
        self.0.push((key.into(), value.into()));
    }

    /// The object with one more key, for writing one down in one go.
    pub fn and(mut self, key: &'static str, value: impl Into<Json>) -> Object {
        self.add(key, value);
        self
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Puts another value in the place of a key's; a key that is not there stays away.
    pub fn set(&mut self, key: &str, value: impl Into<Json>) {
        if let Some(known) = self.get_mut(key) {
            *known = value.into();
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(place).1)
    }

    /// Gives a key another name, in its place.
    pub fn rename(&mut self, key: &str, name: &'static str) {
        if let Some(entry) = self.0.iter_mut().find(|(known, _)| known == key) {
            entry.0 = Cow::Borrowed(name);
        }
    }

    /// Sorts the keys behind the first `kept`, which stay.
    pub fn sort_from(&mut self, kept: usize) {
        let kept = kept.min(self.0.len());
        self.0[kept..].sort_by(|one, two| one.0.cmp(&two.0));
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Json {
    /// The object in it, to be changed.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Json::Object(object) => Some(object),
            Json::Null
            | Json::Bool(_)
            | Json::Integer(_)
            | Json::Hundredths(_)
            | Json::Decimal(..)
            | Json::Number(_)
            | Json::Text(_)
            | Json::List(_) => None,
        }
    }

    /// The bytes, indented by two spaces and with a line feed at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1536);
        self.write(&mut out, 0);
        out.push(b'\n');
        out
    }

    /// The bytes of a value that is no list or object, and nothing else.
    pub fn to_line(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut Vec<u8>, depth: usize) {
        match self {
            Json::Null => out.extend_from_slice(b"null"),
            Json::Bool(true) => out.extend_from_slice(b"true"),
            Json::Bool(false) => out.extend_from_slice(b"false"),
            Json::Integer(number) => write_json(out, number),
            Json::Hundredths(number) => out.extend_from_slice(with_point(*number).as_bytes()),
            Json::Decimal(parts, decimals) => out.extend_from_slice(shortest(*parts, *decimals).as_bytes()),
            Json::Number(number) => out.extend_from_slice(number.as_bytes()),
            Json::Text(text) => write_text(out, text),
            Json::List(items) if items.is_empty() => out.extend_from_slice(b"[]"),
            Json::List(items) => {
                out.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    begin_line(out, place, depth + 1);
                    item.write(out, depth + 1);
                }
                end_lines(out, depth);
                out.push(b']');
            }
            Json::Object(object) if object.is_empty() => out.extend_from_slice(b"{}"),
            Json::Object(object) => {
                out.push(b'{');
                for (place, (key, value)) in object.0.iter().enumerate() {
                    begin_line(out, place, depth + 1);
                    write_text(out, key);
                    out.extend_from_slice(b": ");
                    value.write(out, depth + 1);
                }
                end_lines(out, depth);
                out.push(b'}');
            }
        }
    }
}

fn with_point(hundredths: i64) -> String {
    let (sign, number) = (if hundredths < 0 { "-" } else { "" }, hundredths.unsigned_abs());
    let (whole, tenth, hundredth) = (number / 100, number / 10 % 10, number % 10);
    if hundredth == 0 { format!("{sign}{whole}.{tenth}") } else { format!("{sign}{whole}.{tenth}{hundredth}") }
}

fn shortest(parts: i64, decimals: u32) -> String {
    let (sign, number) = (if parts < 0 { "-" } else { "" }, parts.unsigned_abs());
    let digits = format!("{number:0>width$}", width = decimals as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals as usize);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Most texts need no escape, and are copied as they are.
fn write_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        return write_json(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("text and numbers can be written to memory");
}

fn begin_line(out: &mut Vec<u8>, place: usize, depth: usize) {
    if place > 0 {
        out.push(b',');
    }
    end_lines(out, depth);
}

fn end_lines(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    for _ in 0..depth {
        out.extend_from_slice(b"  ");
    }
}

/// What `before` said where `after` says something else: of objects only the keys that differ, with `null` for keys that
/// were not there; of anything else the whole old value. `None` when nothing differs.
pub fn previous(before: &Json, after: &Json) -> Option<Json> {
    if before == after {
        return None;
    }
    let (Json::Object(old), Json::Object(new)) = (before, after) else { return Some(before.clone()) };
    let mut changed = Object::default();
    for (key, value) in &old.0 {
        match new.get(key) {
            Some(now) => {
                if let Some(was) = previous(value, now) {
                    changed.add(key.clone(), was);
                }
            }
            None => changed.add(key.clone(), value.clone()),
        }
    }
    for (key, _) in &new.0 {
        if old.get(key).is_none() {
            changed.add(key.clone(), Json::Null);
        }
    }
    Some(Json::Object(changed))
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json::Integer(value)
    }
}

impl From<&'static str> for Json {
    fn from(value: &'static str) -> Json {
        Json::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::Text(Cow::Owned(value))
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Json {
        Json::Text(Cow::Owned(value.clone()))
    }
}

impl From<Object> for Json {
    fn from(value: Object) -> Json {
        Json::Object(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(value: Vec<Json>) -> Json {
        Json::List(value)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Object, previous};

    #[test]
    fn bytes_are_indented_like_everybody_indents() {
        let nested = Object::new().and("b", vec![Json::Integer(1), Json::Null]).and("c", Object::new());
        let json = Json::from(Object::new().and("a", "x\"\n").and("n", nested).and("l", Vec::new()));
        let written = String::from_utf8(json.to_bytes()).unwrap();
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(
            written.trim_end(),
            "{\n  \"a\": \"x\\\"\\n\",\n  \"n\": {\n    \"b\": [\n      1,\n      null\n    ],\n    \"c\": {}\n  },\n  \"l\": []\n}"
        );
        assert_eq!(read["n"]["b"][0], 1);
    }

    #[test]
    fn hundredths_always_have_a_point() {
        for (number, text) in [(2550, "25.5"), (2500, "25.0"), (3333, "33.33"), (5, "0.05"), (-150, "-1.5"), (0, "0.0")]
        {
            assert_eq!(super::with_point(number), text);
        }
    }

    #[test]
    fn decimals_are_written_in_the_shortest_way() {
        for (parts, decimals, text) in [
            (12_900, 2, "129"),
            (8_950, 2, "89.5"),
            (-5, 2, "-0.05"),
            (0, 3, "0"),
            (1_005, 3, "1.005"),
            (129, 0, "129"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(super::shortest(parts, decimals), text);
        }
    }

    #[test]
    fn previous_names_only_what_changed() {
        let before = Json::from(Object::new().and("m", Object::new().and("a", "1").and("b", "2")).and("l", vec![]));
        let after =
            Json::from(Object::new().and("m", Object::new().and("b", "2").and("c", "3")).and("l", vec![Json::Null]));
        let changed = Object::new().and("m", Object::new().and("a", "1").and("c", Json::Null)).and("l", vec![]);
        assert_eq!(previous(&before, &after), Some(changed.into()));
        assert_eq!(previous(&after, &after), None);
    }
}
