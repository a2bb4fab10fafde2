//! Reads what was sent by its shape. All that is wrong is found, each with its path; what is right comes out as it is kept:
//! trimmed, numbers as parts, words of a query as what they stand for.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::percent_decode;

use super::fields::Fields;
use super::shape::{Data, Member, Number, Shape, Text};
use crate::domain::data;
use crate::http::given::{Unfit, Value};
use crate::http::json::Json;

/// The most flaws that are told of one request.
pub const MAX_FLAWS: usize = 50;
/// The most bytes of a key that a flaw repeats.
const MAX_KEY_SHOWN: usize = 100;

/// What happens to a key that no table knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is a flaw.
    Refused,
    /// It is as if it were not there.
    Ignored,
}

/// How a request is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Unknown keys of bodies.
    pub unknown: Unknown,
    /// Unknown parameters of query strings.
    pub unknown_query: Unknown,
    /// How many decimals an amount of money may have.
    pub money_decimals: u32,
    /// Whether the server takes what strict reading refuses.
    pub lenient: bool,
}

/// Something wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where: names and places of items with dots between them, as `items.0.sku`; empty for the whole body.
    pub path: String,
    /// What.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing of that name is known.
    Unknown,
    /// It was given more than once.
    Twice,
    /// It has to be given.
    Missing,
    /// It cannot be `null`.
    Null,
    /// It is of another type.
    Type {
        /// What it has to be, as `a string`.
        wanted: &'static str,
        /// What it is.
        given: &'static str,
    },
    /// It does not look as it has to.
    Format(&'static str),
    /// It is none of these words.
    Word(&'static [&'static str]),
    /// It has fewer characters.
    TooShort(usize),
    /// It has more characters.
    TooLong(usize),
    /// It is less; the bound as it is written.
    TooSmall(String),
    /// It is more; the bound as it is written.
    TooLarge(String),
    /// It has more decimals.
    TooPrecise(u32),
    /// It has fewer items.
    TooFew(usize),
    /// It has more items.
    TooMany(usize),
    /// Written down it has more bytes.
    TooManyBytes(usize),
    /// Its objects and lists are deeper in each other.
    TooDeep(usize),
    /// It has a NUL character in it, which no database keeps.
    Nul,
    /// It is no text: its escapes are no UTF-8.
    NotText,
    /// A rule of the operation, in its own words: a code for programs, and a sentence.
    Rule(&'static str, String),
}

impl Flaw {
    /// That, there.
    pub fn new(path: impl Into<String>, wrong: Wrong) -> Flaw {
        Flaw { path: path.into(), wrong }
    }

    /// A rule that is broken there.
    pub fn rule(path: impl Into<String>, code: &'static str, sentence: impl Into<String>) -> Flaw {
        Flaw::new(path, Wrong::Rule(code, sentence.into()))
    }
}

// A sentence without the name of what it is about, and without what was sent.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Unknown => f.write_str("is not known"),
            Wrong::Twice => f.write_str("was given more than once"),
            Wrong::Missing => f.write_str("has to be given"),
            Wrong::Null => f.write_str("cannot be null"),
            Wrong::Type { wanted, given } => write!(f, "has to be {wanted}, not {given}"),
            Wrong::Format(wanted) => write!(f, "has to be {wanted}"),
            Wrong::Word(words) => write!(f, "has to be one of {}", words.join(", ")),
            Wrong::TooShort(0 | 1) => f.write_str("cannot be empty"),
            Wrong::TooShort(min) => write!(f, "has to have at least {min} characters"),
            Wrong::TooLong(max) => write!(f, "can have at most {max} characters"),
            Wrong::TooSmall(min) => write!(f, "has to be at least {min}"),
            Wrong::TooLarge(max) => write!(f, "can be at most {max}"),
            Wrong::TooPrecise(0) => f.write_str("has to be a whole number"),
            Wrong::TooPrecise(decimals) => write!(f, "can have at most {decimals} decimals"),
            Wrong::TooFew(0 | 1) => f.write_str("cannot be empty"),
            Wrong::TooFew(min) => write!(f, "has to have at least {min} items"),
            Wrong::TooMany(max) => write!(f, "can have at most {max} items"),
            Wrong::TooManyBytes(max) => write!(f, "can have at most {max} bytes"),
            Wrong::TooDeep(max) => write!(f, "can have at most {max} levels"),
            Wrong::Nul => f.write_str("cannot have a NUL character in it"),
            Wrong::NotText => f.write_str("is not text in UTF-8"),
            Wrong::Rule(_, sentence) => f.write_str(sentence),
        }
    }
}

/// A body by its shape.
pub fn body(shape: &Shape, value: Value, how: &Reading) -> Result<Value, Vec<Flaw>> {
    let mut reader = Reader { how, flaws: Vec::new(), unknown: how.unknown };
    let value = reader.value(shape, value, "");
    reader.done(value)
}

/// The body of a change by its shape: what is wrong with a member is left open where the record may show it just so.
pub fn changes(shape: &Shape, value: Value, how: &Reading) -> Result<Changes, Vec<Flaw>> {
    let sent = if let Value::Object(sent) = &value { sent.clone() } else { Vec::new() };
    let mut reader = Reader { how, flaws: Vec::new(), unknown: how.unknown };
    let mut read = match reader.value(shape, value, "") {
        Value::Object(read) => read,
        Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Vec::new()
        }
    };
    let flaws = reader.flaws;
    let known = |name: &str| shape.members().iter().any(|member| member.name == name);
    let once = |name: &str| sent.iter().filter(|(known, _)| known == name).count() == 1;
    let of = |flaw: &Flaw, name: &str| flaw.path.split('.').next() == Some(name);
    // Nothing shows a key that nobody knows, or has one twice; and of too many flaws not all are told.
    let all_open = flaws.len() < MAX_FLAWS
        && (how.unknown == Unknown::Ignored || sent.iter().all(|(name, _)| known(name)))
        && flaws.iter().all(|flaw| sent.iter().any(|(name, _)| of(flaw, name) && once(name)));
    if !all_open {
        return Err(flaws);
    }
    let mut changes = Changes::default();
    for (name, sent) in sent.into_iter().filter(|(name, _)| known(name)) {
        let flaws: Vec<Flaw> = flaws.iter().filter(|flaw| of(flaw, &name)).cloned().collect();
        let value = read.extract_if(.., |(known, _)| *known == name).next().map(|(_, value)| value);
        if !flaws.is_empty() || value.as_ref() != Some(&sent) {
            let is_sound = flaws.is_empty();
            changes.doubts.push(Doubt { name: name.clone(), sent, flaws });
            if !is_sound {
                continue;
            }
        }
        changes.fields.extend(value.map(|value| (name, value)));
    }
    Ok(changes)
}

/// What a body wants changed. A member that is sent as the record shows it is no change, whatever is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The members that are as they have to be.
    fields: Vec<(String, Value)>,
    /// Those that are not, and those that would be kept otherwise than they were sent.
    doubts: Vec<Doubt>,
}

#[derive(Clone, Debug, PartialEq)]
struct Doubt {
    name: String,
    sent: Value,
    flaws: Vec<Flaw>,
}

impl Changes {
    /// Whether what they are depends on what the record shows.
    pub fn are_open(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// The members, as far as they are as they have to be.
    pub fn fields(&self) -> Fields {
        Fields::new(self.fields.clone())
    }

    /// The members that are sent otherwise than they are shown, or what is wrong with them.
    pub fn beside(&self, shown: &Json) -> Result<Fields, Vec<Flaw>> {
        // What this server writes it can read.
        let shown = Value::of_json(&shown.to_bytes()).unwrap_or(Value::Null);
        let is_shown = |doubt: &Doubt| match &shown {
            Value::Object(shown) => shown.iter().any(|(name, value)| *name == doubt.name && same(value, &doubt.sent)),
            Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                false
            }
        };
        let (repeated, others): (Vec<&Doubt>, Vec<&Doubt>) = self.doubts.iter().partition(|doubt| is_shown(doubt));
        let flaws: Vec<Flaw> = others.into_iter().flat_map(|doubt| doubt.flaws.clone()).collect();
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let changed = |name: &String| !repeated.iter().any(|doubt| doubt.name == *name);
        Ok(Fields::new(self.fields.iter().filter(|(name, _)| changed(name)).cloned().collect()))
    }
}

/// Whether two values are the same, in whatever order the keys of their objects are.
fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            let there: BTreeMap<&str, &Value> = two.iter().map(|(key, value)| (key.as_str(), value)).collect();
            let has = |key: &str, value: &Value| there.get(key).is_some_and(|other| same(value, other));
            one.len() == two.len() && one.iter().all(|(key, value)| has(key, value))
        }
        (one, two) => one == two,
    }
}

/// A query string by its parameters.
pub fn query(members: &'static [Member], query: &str, how: &Reading) -> Result<Fields, Vec<Flaw>> {
    let mut reader = Reader { how, flaws: Vec::new(), unknown: how.unknown_query };
    let mut given: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decoded(name), decoded(value)) {
            (Some(name), Some(value)) => given.push((name, value)),
            (Some(name), None) => reader.flaw(&shown(&name), Wrong::NotText),
            (None, _) => {
                let seen = percent_decode(name.as_bytes()).decode_utf8_lossy();
                reader.flaw(&shown(&seen), Wrong::NotText);
            }
        }
    }
    let mut fields = Vec::new();
    for member in members {
        if let Some(beginning) = member.name.strip_suffix('*') {
            for (name, text) in given.extract_if(.., |(name, _)| name.starts_with(beginning)) {
                if text.contains('\0') || name.contains('\0') {
                    reader.flaw(&shown(&name), Wrong::Nul);
                }
                fields.push((name, Value::Text(text)));
            }
            continue;
        }
        let texts: Vec<String> = given.extract_if(.., |(name, _)| name == member.name).map(|(_, text)| text).collect();
        if texts.is_empty() {
            if member.needed {
                reader.flaw(member.name, Wrong::Missing);
            }
            continue;
        }
        let value = match &member.shape {
            Shape::List(item, ..) => {
                let items = texts.iter().flat_map(|text| text.split(',')).map(|text| of_text(item, text.trim()));
                Value::List(items.collect())
            }
            shape => {
                if texts.len() > 1 {
                    reader.flaw(member.name, Wrong::Twice);
                }
                of_text(shape, &texts[0])
            }
        };
        let value = reader.value(&member.shape, value, member.name);
        fields.push((member.name.to_owned(), value));
    }
    if how.unknown_query == Unknown::Refused {
        for (name, _) in given {
            reader.flaw(&shown(&name), Wrong::Unknown);
        }
    }
    reader.done(Fields::new(fields))
}

/// The pairs of a query string, decoded and in the order of their names, for comparing one with another.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode(text.replace('+', " ").as_bytes()).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().ok().map(|text| text.into_owned())
}

/// What a text of a query stands for where that is wanted; the text itself when it stands for nothing like that.
fn of_text(shape: &Shape, text: &str) -> Value {
    let itself = || Value::Text(text.to_owned());
    match shape {
        Shape::Whole(..) | Shape::Number(_) | Shape::Money(..) => match Value::of_json(text.as_bytes()) {
            Ok(number @ (Value::Whole(_) | Value::Number(_))) => number,
            Ok(_) | Err(_) => itself(),
        },
        Shape::Flag if text == "true" => Value::Flag(true),
        Shape::Flag if text == "false" => Value::Flag(false),
        Shape::Text(_)
        | Shape::Word(_)
        | Shape::Flag
        | Shape::Object(_)
        | Shape::Component(_)
        | Shape::List(..)
        | Shape::Map(_)
        | Shape::Data(_)
        | Shape::Any(_)
        | Shape::AnyOf(_)
        | Shape::Leniently { .. } => itself(),
    }
}

/// As much of a key as a flaw repeats, with a sign in the place of each NUL.
fn shown(key: &str) -> String {
    let end = key.char_indices().map(|(at, _)| at).chain([key.len()]).take_while(|at| *at <= MAX_KEY_SHOWN).last();
    key[..end.unwrap_or_default()].replace('\0', "\u{fffd}")
}

struct Reader<'a> {
    how: &'a Reading,
    flaws: Vec<Flaw>,
    unknown: Unknown,
}

impl Reader<'_> {
    fn done<T>(self, value: T) -> Result<T, Vec<Flaw>> {
        if self.flaws.is_empty() { Ok(value) } else { Err(self.flaws) }
    }

    fn flaw(&mut self, path: &str, wrong: Wrong) {
        if self.flaws.len() < MAX_FLAWS {
            self.flaws.push(Flaw::new(path, wrong));
        }
    }

    /// The value as it is kept; anything at all once there is a flaw.
    fn value(&mut self, shape: &Shape, value: Value, path: &str) -> Value {
        match (shape, value) {
            (Shape::Component(component), value) => self.value(&component.shape, value, path),
            (Shape::Leniently { strict, lenient }, value) => {
                self.value(if self.how.lenient { lenient } else { strict }, value, path)
            }
            (Shape::Text(text), Value::Text(given)) => self.text(text, given, path),
            (Shape::Word(words), Value::Text(given)) => {
                if !words.contains(&&*given) {
                    self.flaw(path, Wrong::Word(words));
                }
                Value::Text(given)
            }
            (Shape::Whole(min, max), number @ (Value::Whole(_) | Value::Number(_))) => {
                self.number(&number, Number { min: *min, max: *max, decimals: 0 }, path)
            }
            (Shape::Number(bounds), number @ (Value::Whole(_) | Value::Number(_))) => {
                self.number(&number, *bounds, path)
            }
            (Shape::Money(min, max), number @ (Value::Whole(_) | Value::Number(_))) => {
                self.number(&number, Number { min: *min, max: *max, decimals: self.how.money_decimals }, path)
            }
            (Shape::Flag, flag @ Value::Flag(_)) => flag,
            (Shape::Object(members), Value::Object(given)) => self.object(members, given, path),
            (Shape::List(item, min, max), Value::List(given)) => {
                if given.len() < *min {
                    self.flaw(path, Wrong::TooFew(*min));
                }
                if given.len() > *max {
                    self.flaw(path, Wrong::TooMany(*max));
                    return Value::Null;
                }
                let items = given.into_iter().enumerate();
                Value::List(items.map(|(at, given)| self.value(item, given, &inside(path, &at.to_string()))).collect())
            }
            (Shape::Map(value), Value::Object(given)) => {
                self.require_different(&given, path);
                let read = given.into_iter().map(|(key, given)| {
                    let read = self.value(value, given, &inside(path, &shown(&key)));
                    (key, read)
                });
                Value::Object(read.collect())
            }
            (Shape::Any(data), value) => self.data(data, value, path),
            (Shape::Data(data), Value::Object(given)) => self.data(data, Value::Object(given), path),
            (shape, given) => {
                let wrong = match given {
                    Value::Null => Wrong::Null,
                    Value::Flag(_)
                    | Value::Whole(_)
                    | Value::Number(_)
                    | Value::Text(_)
                    | Value::List(_)
                    | Value::Object(_) => Wrong::Type { wanted: shape.wanted(), given: given.type_name() },
                };
                self.flaw(path, wrong);
                given
            }
        }
    }

    fn text(&mut self, text: &Text, given: String, path: &str) -> Value {
        let given = if text.trimmed { given.trim().to_owned() } else { given };
        let letters = given.chars().count();
        if given.contains('\0') {
            self.flaw(path, Wrong::Nul);
        } else if letters < text.min {
            self.flaw(path, Wrong::TooShort(text.min));
        } else if letters > text.max {
            self.flaw(path, Wrong::TooLong(text.max));
        } else if let Some(format) = text.format {
            match (format.read)(&given) {
                Some(kept) => return Value::Text(kept),
                None => self.flaw(path, Wrong::Format(format.wanted)),
            }
        }
        Value::Text(given)
    }

    fn number(&mut self, given: &Value, bounds: Number, path: &str) -> Value {
        let Number { min, max, decimals } = bounds;
        let written = |parts: i64| String::from_utf8_lossy(&decimal(parts, decimals)).into_owned();
        match given.parts(decimals) {
            Ok(parts) if parts < min => self.flaw(path, Wrong::TooSmall(written(min))),
            Ok(parts) if parts > max => self.flaw(path, Wrong::TooLarge(written(max))),
            Ok(parts) => return Value::Whole(parts),
            Err(Unfit::TooPrecise) => self.flaw(path, Wrong::TooPrecise(decimals)),
            Err(Unfit::TooLarge | Unfit::NoNumber) => {
                let negative = matches!(given, Value::Number(text) if text.starts_with('-'))
                    || matches!(given, Value::Whole(number) if *number < 0);
                let wrong = if negative { Wrong::TooSmall(written(min)) } else { Wrong::TooLarge(written(max)) };
                self.flaw(path, wrong);
            }
        }
        Value::Null
    }

    fn object(&mut self, members: &'static [Member], mut given: Vec<(String, Value)>, path: &str) -> Value {
        let mut read = Vec::with_capacity(given.len());
        for member in members {
            let path = || inside(path, member.name);
            let mut values = given.extract_if(.., |(key, _)| key == member.name);
            let (first, more) = (values.next(), values.next().is_some());
            drop(values);
            // The rest of them has been seen too.
            given.retain(|(key, _)| key != member.name);
            if more {
                self.flaw(&path(), Wrong::Twice);
            }
            match first {
                None if member.needed => self.flaw(&path(), Wrong::Missing),
                None => {}
                Some((key, Value::Null)) if member.nullable => read.push((key, Value::Null)),
                Some((key, value)) => {
                    let value = self.value(&member.shape, value, &path());
                    read.push((key, value));
                }
            }
        }
        if self.unknown == Unknown::Refused {
            for (key, _) in &given {
                self.flaw(&inside(path, &shown(key)), Wrong::Unknown);
            }
        }
        Value::Object(read)
    }

    fn data(&mut self, data: &Data, value: Value, path: &str) -> Value {
        if size(&value) > data.max_bytes {
            self.flaw(path, Wrong::TooManyBytes(data.max_bytes));
        } else {
            self.plain(&value, data.max_depth, data.max_depth, path);
        }
        value
    }

    /// Finds what free data cannot be.
    fn plain(&mut self, value: &Value, levels: usize, of: usize, path: &str) {
        match value {
            Value::List(_) | Value::Object(_) if levels == 0 => self.flaw(path, Wrong::TooDeep(of)),
            Value::Text(text) if text.contains('\0') => self.flaw(path, Wrong::Nul),
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.plain(item, levels - 1, of, &inside(path, &at.to_string()));
                }
            }
            Value::Object(entries) => {
                self.require_different(entries, path);
                for (key, value) in entries {
                    self.plain(value, levels - 1, of, &inside(path, &shown(key)));
                }
            }
            // Nobody means a number with a hundred thousand zeros.
            Value::Number(number) if data::Value::number(number).is_none() => {
                self.flaw(path, Wrong::Format("a number of reasonable size"));
            }
            Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    /// Keys that are no names of members have to be texts that can be kept, each once.
    fn require_different(&mut self, entries: &[(String, Value)], path: &str) {
        let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        for pair in keys.windows(2).filter(|pair| pair[0] == pair[1]) {
            self.flaw(&inside(path, &shown(pair[0])), Wrong::Twice);
        }
        for key in keys.iter().filter(|key| key.contains('\0')) {
            self.flaw(&inside(path, &shown(key)), Wrong::Nul);
        }
    }
}

/// A number of parts as JSON writes it.
pub fn decimal(parts: i64, decimals: u32) -> Vec<u8> {
    crate::http::json::Json::Decimal(parts, decimals).to_line()
}

/// How many bytes a value has, written without spaces.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Flag(flag) => 5 - usize::from(*flag),
        Value::Whole(number) => number.to_string().len(),
        Value::Number(number) => number.len(),
        Value::Text(text) => text_size(text),
        Value::List(items) => 1 + items.len().max(1) + items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => {
            let entries_size = entries.iter().map(|(key, value)| text_size(key) + 1 + size(value)).sum::<usize>();
            1 + entries.len().max(1) + entries_size
        }
    }
}

/// How many bytes a text has in its quotation marks, where an escape is as long as it is written.
fn text_size(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..=0x1f => 5,
        _ => 0,
    });
    text.len() + 2 + escapes.sum::<usize>()
}

fn inside(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests;
