//! The fields of an object in a file, each taken once: what is left over at the end is not known here.

use serde_json::{Map, Value};

use super::super::failure::{Names, Refusal};
use super::super::params::{self, Param, inside};
use super::super::versions::Version;
use crate::domain::money::Currency;
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::http::form::{Hash, Node};

/// The most characters of an id.
const MAX_ID: usize = 255;

/// What is wrong with an object, and with which field of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field with the brackets that parameters have; empty for the object itself.
    pub field: String,
    /// What is wrong.
    pub rule: String,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Fault {
        Fault { field: field.into(), rule: rule.into() }
    }

    /// A fault in the words of the API.
    pub fn of_problem(field: &str, problem: Problem) -> Fault {
        Fault::of_refusal(field, &Refusal::problem(problem, &Names::BY_PATH, true))
    }

    /// A fault in the words of a refusal, whose parameters are below the path.
    pub fn of_refusal(path: &str, refusal: &Refusal) -> Fault {
        let (param, message) = refusal.told();
        Fault::new(param.map_or(path.to_owned(), |param| within(path, param)), message)
    }
}

/// What a reader of objects gives.
pub type Readable<T> = Result<T, Fault>;

/// The fields of an object that are not null, until they are taken.
pub struct Fields {
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of a value that has to be an object. `path` is where it is; empty for a whole one.
    pub fn of(value: Value, path: &str) -> Readable<Fields> {
        match value {
            Value::Object(mut map) => {
                map.retain(|_, value| !value.is_null());
                Ok(Fields { path: path.to_owned(), map })
            }
            _ => Err(Fault::new(path, "an object is expected")),
        }
    }

    /// The name of a field of it.
    pub fn named(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { inside(&self.path, name) }
    }

    /// A fault of one of its fields.
    pub fn fault(&self, name: &str, rule: impl Into<String>) -> Fault {
        Fault::new(self.named(name), rule)
    }

    /// Whether it has the field.
    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// A field, as it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name)
    }

    /// Puts an object back that was looked into.
    pub fn put(&mut self, name: &str, inner: Fields) {
        self.map.insert(name.to_owned(), Value::Object(inner.map));
    }

    /// What kind of object it says it is.
    pub fn kind(&self) -> Option<&str> {
        self.map.get("object")?.as_str()
    }

    /// The names of its fields.
    pub fn names(&self) -> Vec<String> {
        self.map.keys().cloned().collect()
    }

    /// Whether a field is a list of nothing.
    pub fn is_empty(&self, name: &str) -> bool {
        self.map.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    /// Makes a field one that is emptied.
    pub fn clear(&mut self, name: &str) {
        self.map.insert(name.to_owned(), Value::String(String::new()));
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Readable<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "a text is expected")),
        }
    }

    /// An id: letters, digits, `_`, `-` and `.`.
    pub fn id(&mut self, name: &str) -> Readable<Option<String>> {
        let Some(id) = self.text(name)? else { return Ok(None) };
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if plain && (1..=MAX_ID).contains(&id.len()) {
            return Ok(Some(id));
        }
        Err(self.fault(name, format!("an id has 1 to {MAX_ID} letters, digits, `_`, `-` and `.`")))
    }

    /// The object's own id.
    pub fn own_id(&mut self) -> Readable<String> {
        self.id("id")?.ok_or_else(|| self.fault("id", "it is missing"))
    }

    /// A whole number.
    pub fn integer(&mut self, name: &str) -> Readable<Option<i64>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| self.fault(name, "a whole number is expected"))
    }

    /// A count, which is not negative.
    pub fn count(&mut self, name: &str) -> Readable<i64> {
        match self.integer(name)?.unwrap_or(0) {
            count @ 0.. => Ok(count),
            _ => Err(self.fault(name, "it is less than 0")),
        }
    }

    /// A moment: seconds since 1970.
    pub fn moment(&mut self, name: &str) -> Readable<Option<Time>> {
        let Some(seconds) = self.integer(name)? else { return Ok(None) };
        let time = Time::from_seconds(seconds).filter(|time| time.0 >= 0);
        time.map(Some).ok_or_else(|| self.fault(name, "a Unix timestamp in seconds is expected"))
    }

    /// When it was made: now when it does not say.
    pub fn created(&mut self, now: Time) -> Readable<Time> {
        Ok(self.moment("created")?.unwrap_or(now))
    }

    /// A currency.
    pub fn currency(&mut self, name: &str) -> Readable<Option<Currency>> {
        let Some(code) = self.text(name)? else { return Ok(None) };
        Currency::parse(&code).map(Some).ok_or_else(|| self.fault(name, format!("there is no currency {code}")))
    }

    /// An object inside.
    pub fn inner(&mut self, name: &str) -> Readable<Option<Fields>> {
        let path = self.named(name);
        self.take(name).map(|value| Fields::of(value, &path)).transpose()
    }

    /// The items of a list inside, which has to be all of it, with the name of each.
    pub fn list(&mut self, name: &str) -> Readable<Vec<(String, Value)>> {
        let Some(mut list) = self.inner(name)? else { return Ok(Vec::new()) };
        list.off(&["has_more"])?;
        let data = list.named("data");
        let items = list.items()?;
        Ok(items.into_iter().enumerate().map(|(place, item)| (inside(&data, &place.to_string()), item)).collect())
    }

    /// The items of a list that this is itself.
    pub fn items(mut self) -> Readable<Vec<Value>> {
        self.only("object", "list")?;
        let items = match self.take("data") {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.fault("data", "a list is expected")),
        };
        self.derived(&["url", "total_count"]);
        self.end()?;
        Ok(items)
    }

    /// A field that can have one value.
    pub fn only(&mut self, name: &str, value: &str) -> Readable<()> {
        match self.text(name)? {
            Some(given) if given != value => Err(self.fault(name, format!("it is {given}, where {value} is expected"))),
            Some(_) | None => Ok(()),
        }
    }

    /// Fields that have to be false or null: nothing here can be otherwise.
    pub fn off(&mut self, names: &[&str]) -> Readable<()> {
        for name in names {
            if self.take(name).is_some_and(|value| value != Value::Bool(false)) {
                return Err(self.fault(name, "it can only be false or null here"));
            }
        }
        Ok(())
    }

    /// Fields that have to be null: what they tell of cannot be brought in.
    pub fn null(&mut self, names: &[&str]) -> Readable<()> {
        match names.iter().find(|name| self.has(name)) {
            Some(name) => Err(self.fault(name, "it cannot be brought in: it can only be null here")),
            None => Ok(()),
        }
    }

    /// Fields that follow from others, or that tell nothing which is kept here: they are not looked at.
    pub fn derived(&mut self, names: &[&str]) {
        for name in names {
            self.map.remove(*name);
        }
    }

    /// Refuses what is left.
    pub fn end(self) -> Readable<()> {
        match self.map.keys().next() {
            Some(name) => Err(self.fault(name, "it is not known here")),
            None => Ok(()),
        }
    }

    /// Reads what is left as the parameters of a table, by the rules of the API.
    pub fn read<C: Default>(self, table: &'static [Param<C>]) -> Readable<C> {
        let Fields { path, map } = self;
        params::read(table, &hash(map), &Version::every()).map_err(|refusal| Fault::of_refusal(&path, &refusal))
    }
}

/// A parameter's name below a path: `card` and `address[city]` give `card[address][city]`.
fn within(path: &str, param: &str) -> String {
    if path.is_empty() {
        return param.to_owned();
    }
    match param.split_once('[') {
        Some((first, rest)) => format!("{path}[{first}][{rest}"),
        None => format!("{path}[{param}]"),
    }
}

/// The tree that the same fields would make as parameters. What is null or holds nothing is not there.
fn hash(map: Map<String, Value>) -> Hash {
    let mut hash = Hash::default();
    for (name, value) in map {
        if let Some(node) = node(value) {
            hash.insert(name, node);
        }
    }
    hash
}

fn node(value: Value) -> Option<Node> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => Node::Text(flag.to_string()),
        Value::Number(number) => Node::Text(number.to_string()),
        Value::String(text) => Node::Text(text),
        Value::Array(items) if items.is_empty() => return None,
        Value::Array(items) => Node::List(items.into_iter().filter_map(node).collect()),
        Value::Object(map) => match hash(map) {
            hash if hash.is_empty() => return None,
            hash => Node::Hash(hash),
        },
    })
}
