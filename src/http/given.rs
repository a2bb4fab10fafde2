//! JSON on its way in: a value as it was sent, with nothing lost. An object keeps the order of its keys and a key that it
//! has twice, so that it can be refused; a number that is not whole keeps its text, because money is no floating point.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How deep objects and lists may be in each other.
pub const MAX_DEPTH: usize = 64;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Flag(bool),
    /// A number that is written without a point or an exponent, and fits.
    Whole(i64),
    /// Any other number, as it is written.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object; it may have a key twice.
    Object(Vec<(String, Value)>),
}

/// Why bytes are no JSON that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJson {
    /// There is a mistake.
    Mistake {
        /// In that line, the first one is 1.
        line: usize,
        /// At that column of it.
        column: usize,
    },
    /// A text in it has half a character.
    Text,
    /// It is deeper than [`MAX_DEPTH`].
    TooDeep,
}

// The words of the parser may repeat what was sent; the place is enough.
impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotJson::Mistake { line, column } => {
                write!(f, "The body is not JSON: there is a mistake at line {line}, column {column}.")
            }
            NotJson::Text => f.write_str("The body is not JSON: a text in it has half a character."),
            NotJson::TooDeep => {
                write!(f, "The body is too deep: at most {MAX_DEPTH} objects or lists may be in each other.")
            }
        }
    }
}

/// Why a number is no whole number of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no number.
    NoNumber,
    /// It has more decimals than that.
    TooPrecise,
    /// It does not fit into 64 bits.
    TooLarge,
}

impl Value {
    /// The value that those bytes are.
    pub fn of_json(bytes: &[u8]) -> Result<Value, NotJson> {
        let whole: &RawValue = serde_json::from_slice(bytes)
            .map_err(|error| NotJson::Mistake { line: error.line(), column: error.column() })?;
        read(whole, 0)
    }

    /// What it is, for words about it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Flag(_) => "a boolean",
            Value::Whole(_) => "a number",
            Value::Number(_) => "a number that is not whole or too large",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// A number as so many parts of one, exactly: of 89.5 with two decimals 8950. Whole numbers have no decimals, however
    /// they are written: 5, 5.0 and 0.5e1 are the same.
    pub fn parts(&self, decimals: u32) -> Result<i64, Unfit> {
        match self {
            Value::Whole(number) => {
                let scale = 10i64.checked_pow(decimals).ok_or(Unfit::TooLarge)?;
                number.checked_mul(scale).ok_or(Unfit::TooLarge)
            }
            Value::Number(text) => parts(text, decimals),
            Value::Null | Value::Flag(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => Err(Unfit::NoNumber),
        }
    }
}

/// So many parts of one, of a number as JSON writes them.
fn parts(text: &str, decimals: u32) -> Result<i64, Unfit> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        // An exponent that does not fit is one of a number that does not.
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| Unfit::TooLarge)?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits: String = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    // The value is the digits with their point moved to the right by so many places.
    let places = exponent.saturating_sub(fraction.len() as i64).saturating_add(i64::from(decimals));
    let zeros_at_the_end = digits.len() - digits.trim_end_matches('0').len();
    let number = if places < 0 {
        let cut = usize::try_from(places.unsigned_abs()).map_err(|_| Unfit::TooPrecise)?;
        if cut > zeros_at_the_end {
            return Err(Unfit::TooPrecise);
        }
        digits[..digits.len() - cut].to_owned()
    } else {
        // No more digits than 64 bits have, so that nothing large is written down.
        let zeros = usize::try_from(places).ok().filter(|zeros| zeros + digits.len() <= 19).ok_or(Unfit::TooLarge)?;
        format!("{digits}{}", "0".repeat(zeros))
    };
    let sign = if negative { "-" } else { "" };
    format!("{sign}{number}").parse().map_err(|_| Unfit::TooLarge)
}

/// The value of a piece of JSON, which is looked through once for each level that it is deep.
fn read(raw: &RawValue, depth: usize) -> Result<Value, NotJson> {
    let text = raw.get().trim();
    match text.as_bytes().first() {
        Some(b'n') => Ok(Value::Null),
        Some(b't') => Ok(Value::Flag(true)),
        Some(b'f') => Ok(Value::Flag(false)),
        Some(b'"') => serde_json::from_str(text).map(Value::Text).map_err(|_| NotJson::Text),
        Some(b'[' | b'{') if depth == MAX_DEPTH => Err(NotJson::TooDeep),
        Some(b'[') => {
            let items = pieces(text)?;
            items.into_iter().map(|(_, item)| read(item, depth + 1)).collect::<Result<_, _>>().map(Value::List)
        }
        Some(b'{') => {
            let entries = pieces(text)?;
            let read = entries.into_iter().map(|(key, value)| Ok((key, read(value, depth + 1)?)));
            read.collect::<Result<_, _>>().map(Value::Object)
        }
        // "-0" is a number that 64 bits do not have.
        _ => Ok(match text.parse() {
            Ok(whole) if text != "-0" => Value::Whole(whole),
            Ok(_) | Err(_) => Value::Number(text.to_owned()),
        }),
    }
}

/// The items of a list, whose keys are empty, or the entries of an object. What it is made of is known to be JSON; only a
/// key can still be half a text.
fn pieces(text: &str) -> Result<Vec<(String, &RawValue)>, NotJson> {
    let mut pieces = serde_json::Deserializer::from_str(text);
    pieces.deserialize_any(Pieces).map_err(|_| NotJson::Text)
}

struct Pieces;

impl<'de> Visitor<'de> for Pieces {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push((String::new(), item));
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_DEPTH, NotJson, Unfit, Value};

    fn value(text: &str) -> Value {
        Value::of_json(text.as_bytes()).unwrap()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn values_are_read_as_they_are_sent() {
        let read = value(" {\"b\": [1, -2.50, 1e3, true, null], \"a\": \"\\u00e9\\n\", \"b\": {}} ");
        let list = vec![
            Value::Whole(1),
            Value::Number("-2.50".into()),
            Value::Number("1e3".into()),
            Value::Flag(true),
            Value::Null,
        ];
        let fields =
            vec![("b".into(), Value::List(list)), ("a".into(), text("é\n")), ("b".into(), Value::Object(Vec::new()))];
        assert_eq!(read, Value::Object(fields));
        assert_eq!(value("18446744073709551615"), Value::Number("18446744073709551615".into()));
        assert_eq!(value("-0"), Value::Number("-0".into()));
        assert_eq!(value("\"x\""), text("x"));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for (text, line, column) in [("", 1, 0), ("{", 1, 1), ("{} {}", 1, 4), ("{\n\"a\":}", 2, 5), ("nul", 1, 3)] {
            assert_eq!(Value::of_json(text.as_bytes()), Err(NotJson::Mistake { line, column }), "{text}");
        }
        assert!(Value::of_json(b"\"\xff\"").is_err());
        assert_eq!(Value::of_json(br#"{"a": "\ud800"}"#), Err(NotJson::Text));
        assert_eq!(Value::of_json(br#"{"\ud800": 1}"#), Err(NotJson::Text));
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Value::of_json(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(Value::of_json(deep(MAX_DEPTH + 1).as_bytes()), Err(NotJson::TooDeep));
        assert_eq!(Value::of_json(deep(200_000).as_bytes()), Err(NotJson::TooDeep));
    }

    #[test]
    fn numbers_are_exact() {
        for (number, decimals, parts) in [
            ("5", 2, Ok(500)),
            ("5.0", 0, Ok(5)),
            ("0.5e1", 0, Ok(5)),
            ("89.5", 2, Ok(8_950)),
            ("-1.005", 3, Ok(-1_005)),
            ("1.005", 2, Err(Unfit::TooPrecise)),
            ("1200e-2", 0, Ok(12)),
            ("1250e-2", 0, Err(Unfit::TooPrecise)),
            ("-0", 2, Ok(0)),
            ("0e999999999999999999999", 2, Err(Unfit::TooLarge)),
            ("0.0e99", 2, Ok(0)),
            ("1e-99999", 2, Err(Unfit::TooPrecise)),
            ("1e99999", 2, Err(Unfit::TooLarge)),
            ("92233720368547758.07", 2, Ok(i64::MAX)),
            ("92233720368547758.08", 2, Err(Unfit::TooLarge)),
            ("-92233720368547758.08", 2, Ok(i64::MIN)),
            ("9223372036854775807", 2, Err(Unfit::TooLarge)),
            ("\"5\"", 0, Err(Unfit::NoNumber)),
        ] {
            assert_eq!(value(number).parts(decimals), parts, "{number}");
        }
    }
}
