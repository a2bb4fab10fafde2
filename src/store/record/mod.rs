//! A row's body on disk: JSON, begun by the number of its shape. Shapes are structs of their own, apart from the domain,
//! so that a record can change in one place and stay readable in the other. Nothing here knows a database.

mod account;
mod address;
mod api_key;
mod asset;
mod balance;
mod billing_group;
mod business;
mod cash;
mod coupon;
mod customer;
mod customer_address;
mod data;
mod delivery;
mod discount;
mod event;
mod facts;
mod holding;
mod instrument;
mod order;
mod product;
mod promotion_code;
mod rental;
mod rental_book;
mod rental_payment;
mod setup_intent;
mod source;
mod tax_id;
mod token;
mod unit;
mod webhook;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use account::{read_account, write_account};
pub use api_key::{read_api_key, write_api_key};
pub use balance::{read_balance_transaction, write_balance_transaction};
pub use customer::{read_customer, write_customer};
pub use delivery::{read_delivery, write_delivery};
pub use event::{EventBody, read_event, write_event};
pub use facts::{read_facts, write_facts};

/// The shape that is written. It goes up by one when the meaning of any body changes; a reader then walks the older
/// shapes forward. Adding a part that may be missing is not such a change.
pub const SHAPE: u32 = 1;

/// Why a body cannot be read. Never quotes the body, which is somebody's data.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It does not begin with the number of its shape.
    NoShape,
    /// It has a shape that this version does not know.
    UnknownShape(u32),
    /// It is not what its shape says, found at this byte.
    Misshapen(usize),
    /// A part holds a word that this version does not know.
    UnknownWord(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NoShape => write!(f, "the body does not begin with the number of its shape"),
            Unreadable::UnknownShape(shape) => {
                write!(f, "the body has shape {shape}, this version of cusp knows shapes up to {SHAPE}")
            }
            Unreadable::Misshapen(byte) => write!(f, "the body is not what its shape says, at byte {byte}"),
            Unreadable::UnknownWord(part) => write!(f, "the body's {part} is not one that this version of cusp knows"),
        }
    }
}

impl Error for Unreadable {}

type Text<'a> = Cow<'a, str>;

/// Every shape has at least one part that is always written, so that there is a brace to turn into a comma.
fn write(shape: &impl Serialize) -> String {
    let mut body = format!("{{\"v\":{SHAPE}").into_bytes();
    let joint = body.len();
    serde_json::to_writer(&mut body, shape).expect("shapes hold nothing that JSON cannot say");
    body[joint] = b',';
    String::from_utf8(body).expect("JSON is UTF-8")
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, Unreadable> {
    // The parser's own message may quote a value; the place is enough to find it.
    serde_json::from_str(body).map_err(|error| Unreadable::Misshapen(error.column()))
}

fn shape_of(body: &str) -> Result<u32, Unreadable> {
    let rest = body.strip_prefix("{\"v\":").ok_or(Unreadable::NoShape)?;
    let end = rest.find([',', '}']).ok_or(Unreadable::NoShape)?;
    rest[..end].parse().map_err(|_| Unreadable::NoShape)
}

fn borrowed(text: &Option<String>) -> Option<Text<'_>> {
    text.as_deref().map(Cow::Borrowed)
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(Cow::into_owned)
}

/// A value by the word of it that was written.
fn word<T>(part: &'static str, word: &str, named: fn(&str) -> Option<T>) -> Result<T, Unreadable> {
    named(word).ok_or(Unreadable::UnknownWord(part))
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::{SHAPE, Unreadable, read_customer};

    #[test]
    fn a_body_without_a_shape_is_refused() {
        for body in ["", "{}", "null", r#"{"id":"cus_1"}"#, r#"{"v":"1","id":"cus_1"}"#, r#"{"v":1"#] {
            assert_eq!(read_customer(body), Err(Unreadable::NoShape), "{body}");
        }
    }

    #[test]
    fn a_newer_shape_is_refused() {
        let newer = SHAPE + 1;
        assert_eq!(read_customer(&format!(r#"{{"v":{newer},"id":"cus_1"}}"#)), Err(Unreadable::UnknownShape(newer)));
        assert_eq!(read_customer(r#"{"v":0,"id":"cus_1"}"#), Err(Unreadable::UnknownShape(0)));
    }

    #[test]
    fn a_refusal_does_not_quote_the_record() {
        let refusal = read_customer(r#"{"v":1,"id":"cus_1","balance":"jenny@example.com"}"#).unwrap_err();
        assert!(!refusal.to_string().contains("jenny"), "{refusal}");
    }
}
