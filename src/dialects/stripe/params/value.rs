//! A value as it was read, and what a slot makes of it.

use std::net::IpAddr;

use crate::domain::coupon::Percent;
use crate::domain::metadata::MetadataChange;
use crate::domain::money::Currency;
use crate::domain::page::Span;
use crate::domain::patch::Patch;
use crate::domain::promotion_code::Code;
use crate::domain::secret::Secret;
use crate::domain::time::Time;

/// A value as it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The empty string, where that unsets.
    Unset,
    /// Text of any textual shape.
    Text(String),
    /// Secret text.
    Secret(Secret),
    /// A whole number.
    Integer(i64),
    /// A percentage.
    Percent(Percent),
    /// A moment.
    Moment(Time),
    /// The code of a promotion code.
    Code(Code),
    /// Yes or no.
    Flag(bool),
    /// An address on the network.
    Ip(IpAddr),
    /// A currency.
    Currency(Currency),
    /// The fields that were given.
    Record(Vec<(&'static str, Value)>),
    /// A record, and the word of its kind.
    Kind(&'static str, Box<Value>),
    /// The elements.
    List(Vec<Value>),
    /// A change of free data.
    Metadata(MetadataChange),
    /// A range of moments.
    Span(Span),
}

/// The table says which shape a slot gets; a mismatch is a mistake in the table.
const SHAPE: &str = "the parameter table gives the slot its shape";

impl Value {
    /// Clears, or sets what `make` makes of it.
    pub fn patch<T>(self, make: impl FnOnce(Value) -> T) -> Patch<T> {
        match self {
            Value::Unset => Patch::Clear,
            value => Patch::Set(make(value)),
        }
    }

    /// The text.
    pub fn text(self) -> String {
        let Value::Text(text) = self else { panic!("{SHAPE}") };
        text
    }

    /// The secret.
    pub fn secret(self) -> Secret {
        let Value::Secret(secret) = self else { panic!("{SHAPE}") };
        secret
    }

    /// The number.
    pub fn integer(self) -> i64 {
        let Value::Integer(number) = self else { panic!("{SHAPE}") };
        number
    }

    /// The percentage.
    pub fn percent(self) -> Percent {
        let Value::Percent(percent) = self else { panic!("{SHAPE}") };
        percent
    }

    /// The moment.
    pub fn moment(self) -> Time {
        let Value::Moment(moment) = self else { panic!("{SHAPE}") };
        moment
    }

    /// The code of a promotion code.
    pub fn code(self) -> Code {
        let Value::Code(code) = self else { panic!("{SHAPE}") };
        code
    }

    /// The flag.
    pub fn flag(self) -> bool {
        let Value::Flag(flag) = self else { panic!("{SHAPE}") };
        flag
    }

    /// The address on the network.
    pub fn ip(self) -> IpAddr {
        let Value::Ip(ip) = self else { panic!("{SHAPE}") };
        ip
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        let Value::Currency(currency) = self else { panic!("{SHAPE}") };
        currency
    }

    /// The elements.
    pub fn list(self) -> Vec<Value> {
        let Value::List(elements) = self else { panic!("{SHAPE}") };
        elements
    }

    /// The texts of a list of texts.
    pub fn texts(self) -> Vec<String> {
        self.list().into_iter().map(Value::text).collect()
    }

    /// The change of free data.
    pub fn metadata(self) -> MetadataChange {
        let Value::Metadata(change) = self else { panic!("{SHAPE}") };
        change
    }

    /// The range.
    pub fn span(self) -> Span {
        let Value::Span(span) = self else { panic!("{SHAPE}") };
        span
    }

    /// Takes a field out of a record: kept when it was not given, cleared when it was empty.
    pub fn take_patch(&mut self, name: &str) -> Patch<Value> {
        let Value::Record(fields) = self else { panic!("{SHAPE}") };
        match fields.iter().position(|(known, _)| *known == name).map(|place| fields.swap_remove(place).1) {
            None => Patch::Keep,
            Some(Value::Unset) => Patch::Clear,
            Some(value) => Patch::Set(value),
        }
    }

    /// Takes a field out of a record; `None` when it was not given or was empty.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let Value::Record(fields) = self else { panic!("{SHAPE}") };
        let place = fields.iter().position(|(known, _)| *known == name)?;
        Some(fields.swap_remove(place).1).filter(|value| *value != Value::Unset)
    }
}
