//! The members of an object that was read by its shape: asked for by name, taken out as what they are.

use super::formats;
use crate::domain::patch::Patch;
use crate::domain::period::DayOrMoment;
use crate::domain::time::Time;
use crate::http::given::Value;
use crate::rfc3339;

/// Members that were given. They are what their shapes say, so asking for one as anything else is a mistake of ours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, Value)>);

/// What a member can be asked for as.
pub trait Field: Sized {
    /// What the value is; `None` when it is something else.
    fn of(value: Value) -> Option<Self>;
}

impl Fields {
    /// Those members.
    pub fn new(members: Vec<(String, Value)>) -> Fields {
        Fields(members)
    }

    /// Whether it was given, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A member; `None` when it was left out or is `null`.
    pub fn get<T: Field>(&mut self, name: &str) -> Option<T> {
        match self.patch(name) {
            Patch::Keep | Patch::Clear => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// A member that may be emptied: left out it stays, `null` empties it.
    pub fn patch<T: Field>(&mut self, name: &str) -> Patch<T> {
        let Some(place) = self.0.iter().position(|(known, _)| known == name) else { return Patch::Keep };
        match self.0.swap_remove(place).1 {
            Value::Null => Patch::Clear,
            value => Patch::Set(T::of(value).expect("a member is asked for as what its shape says")),
        }
    }

    /// Takes a member out if its value is like that, and says whether it was.
    pub fn take_if(&mut self, name: &str, is_like_that: impl Fn(&Value) -> bool) -> bool {
        let known = self.0.len();
        self.0.retain(|(member, value)| member != name || !is_like_that(value));
        self.0.len() < known
    }

    /// A member that is always there.
    pub fn needed<T: Field>(&mut self, name: &str) -> T {
        self.get(name).expect("a needed member was read")
    }

    /// What was given by names that begin like that, each name without its beginning.
    pub fn beginning(&mut self, beginning: &str) -> Vec<(String, String)> {
        let found = self.0.extract_if(.., |(name, _)| name.starts_with(beginning));
        found.filter_map(|(name, value)| Some((name[beginning.len()..].to_owned(), String::of(value)?))).collect()
    }

    /// All that was given, in its order.
    pub fn all(self) -> Vec<(String, Value)> {
        self.0
    }
}

impl Field for Value {
    fn of(value: Value) -> Option<Value> {
        Some(value)
    }
}

impl Field for String {
    fn of(value: Value) -> Option<String> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl Field for i64 {
    fn of(value: Value) -> Option<i64> {
        if let Value::Whole(number) = value { Some(number) } else { None }
    }
}

impl Field for bool {
    fn of(value: Value) -> Option<bool> {
        if let Value::Flag(flag) = value { Some(flag) } else { None }
    }
}

impl Field for Time {
    fn of(value: Value) -> Option<Time> {
        rfc3339::parse(&String::of(value)?)
    }
}

impl Field for DayOrMoment {
    fn of(value: Value) -> Option<DayOrMoment> {
        let text = String::of(value)?;
        let moment = || rfc3339::parse(&text).map(DayOrMoment::Moment);
        formats::day(&text).map(DayOrMoment::Day).or_else(moment)
    }
}

impl Field for Fields {
    fn of(value: Value) -> Option<Fields> {
        if let Value::Object(members) = value { Some(Fields(members)) } else { None }
    }
}

impl<T: Field> Field for Vec<T> {
    fn of(value: Value) -> Option<Vec<T>> {
        if let Value::List(items) = value { items.into_iter().map(T::of).collect() } else { None }
    }
}
