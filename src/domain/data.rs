//! Free data of any shape. One map holds all of it: `metadata` those entries that Stripe's API can express, [`Data`] the
//! others beside them.

use std::collections::BTreeMap;

use super::metadata::{self, MAX_KEYS, Metadata};

/// A value of free data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number that is not whole or does not fit, in the one way in which [`Value::number`] writes it.
    Number(String),
    /// A text.
    Text(String),
    /// Values in their order.
    List(Vec<Value>),
    /// Values by name.
    Map(Entries),
}

/// Free data by name.
pub type Entries = BTreeMap<String, Value>;

/// The most digits that a number may take when it is written out; longer ones are written with an exponent.
const WRITTEN_OUT: i64 = 21;
/// The largest exponent of ten that a number may have.
const MAX_EXPONENT: i64 = 100_000;

impl Value {
    /// The number of a text in JSON's spelling. Equal numbers are equal values, however they were written.
    pub fn number(text: &str) -> Option<Value> {
        if let Ok(whole) = text.parse() {
            return Some(Value::Whole(whole));
        }
        let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let exponent: i64 = exponent.parse().ok()?;
        if !digits(before) || !digits(behind) || exponent.abs() > MAX_EXPONENT {
            return None;
        }
        let all = format!("{before}{behind}");
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            return Some(Value::Whole(0));
        }
        // The point is behind so many of the significant digits.
        let point = i64::try_from(before.len()).ok()? - i64::try_from(leading).ok()? + exponent;
        let written = format!("{sign}{}", spelled(significant, point)?);
        Some(written.parse().map_or(Value::Number(written), Value::Whole))
    }

    /// How deep lists and maps are in each other: 0 for what is neither.
    pub fn depth(&self) -> usize {
        match self {
            Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) => 0,
            Value::List(values) => 1 + values.iter().map(Value::depth).max().unwrap_or(0),
            Value::Map(entries) => 1 + entries.values().map(Value::depth).max().unwrap_or(0),
        }
    }
}

/// Digits with the point behind so many of them, written out unless that takes many zeros.
fn spelled(digits: &str, point: i64) -> Option<String> {
    let length = i64::try_from(digits.len()).ok()?;
    let zeros = |count: i64| usize::try_from(count).map(|count| "0".repeat(count)).ok();
    if (length..=WRITTEN_OUT).contains(&point) {
        return Some(format!("{digits}{}", zeros(point - length)?));
    }
    if (1..length).contains(&point) {
        let (before, behind) = digits.split_at(usize::try_from(point).ok()?);
        return Some(format!("{before}.{behind}"));
    }
    if (-6..=0).contains(&point) {
        return Some(format!("0.{}{digits}", zeros(-point)?));
    }
    let (first, others) = digits.split_at(1);
    let others = if others.is_empty() { String::new() } else { format!(".{others}") };
    Some(format!("{first}{others}e{}", point - 1))
}

/// The free data that is beside the metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// What metadata cannot express.
    pub entries: Entries,
    /// There is a map, only nothing in it. Where this is not said and there are no entries at all, there never was one, or it
    /// was taken away.
    pub emptied: bool,
}

/// Free data as it is written to the two places: what metadata can express, in the order of the names as far as there is
/// room, and the rest.
pub(super) fn split(all: Entries) -> (Metadata, Entries) {
    let (mut metadata, mut rest) = (Metadata::new(), Entries::new());
    for (name, value) in all {
        match value {
            Value::Text(text) if metadata.len() < MAX_KEYS && metadata::can_express(&name, &text) => {
                metadata.insert(name, text);
            }
            value => drop(rest.insert(name, value)),
        }
    }
    (metadata, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_equal_values() {
        let number = |text: &str| Value::Number(text.into());
        let cases = [
            ("0", Value::Whole(0)),
            ("-0", Value::Whole(0)),
            ("-0.0e5", Value::Whole(0)),
            ("17", Value::Whole(17)),
            ("-17.0", Value::Whole(-17)),
            ("1.7e1", Value::Whole(17)),
            ("170e-1", Value::Whole(17)),
            ("9223372036854775807", Value::Whole(i64::MAX)),
            ("9223372036854775808", number("9223372036854775808")),
            ("1.50", number("1.5")),
            ("15E-1", number("1.5")),
            ("0.00015", number("0.00015")),
            ("1e-9", number("1e-9")),
            ("12.5e-9", number("1.25e-8")),
            ("-1e30", number("-1e30")),
            ("1234567890123456789012345", number("1.234567890123456789012345e24")),
            ("0.1000000000000000055511151231257827", number("0.1000000000000000055511151231257827")),
        ];
        for (written, wanted) in cases {
            assert_eq!(Value::number(written), Some(wanted), "{written}");
        }
    }

    #[test]
    fn a_number_is_written_so_that_it_is_read_again() {
        for text in ["1e-9", "-1.25e30", "1.5", "0.000001", "123456789012345678901"] {
            let Some(Value::Number(written)) = Value::number(text) else { panic!("{text}") };
            assert_eq!(Value::number(&written), Some(Value::Number(written.clone())), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", "1.", ".5", "1e", "0x1", "NaN", "1e999999999", "1 ", "--1", "1.2.3"] {
            assert_eq!(Value::number(text), None, "{text}");
        }
    }

    #[test]
    fn metadata_takes_what_it_can_express() {
        let text = |text: &str| Value::Text(text.into());
        let all = Entries::from([
            ("plan".into(), text("gold")),
            ("empty".into(), text("")),
            ("long".into(), text(&"x".repeat(501))),
            ("a[b]".into(), text("brackets")),
            ("k".repeat(41), text("long name")),
            (String::new(), text("no name")),
            ("count".into(), Value::Whole(3)),
        ]);
        let (metadata, rest) = split(all);
        assert_eq!(metadata, Metadata::from([("plan".into(), "gold".into())]));
        assert_eq!(rest.len(), 6);
    }

    #[test]
    fn metadata_takes_no_more_than_it_may_hold() {
        let all = (0..60).map(|number| (format!("{number:02}"), Value::Text("x".into()))).collect();
        let (metadata, rest) = split(all);
        assert_eq!((metadata.len(), rest.len()), (MAX_KEYS, 10));
        assert!(metadata.contains_key("49") && rest.contains_key("50"));
    }

    #[test]
    fn depth_counts_what_is_in_each_other() {
        let list = |values| Value::List(values);
        assert_eq!(Value::Null.depth(), 0);
        assert_eq!(list(vec![]).depth(), 1);
        assert_eq!(list(vec![Value::Whole(1), list(vec![Value::Map(Entries::new())])]).depth(), 3);
    }
}
