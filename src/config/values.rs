//! The values that options have, as people write them: addresses, hosts, stretches of time, words, secrets.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Deserialize;

use crate::settings::Language;
use crate::telemetry::{Level, LogFormat};

/// A text that may hold a password; it is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(pub String);

// No text is refused here: a refusal by the reader of flags would show it.
impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
/// The name of a host: `jani.example.com`, without a port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(pub String);

/// The longest name of a host: RFC 1035, 2.3.4.
const MAX_HOST_NAME: usize = 253;

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<HostName, String> {
        let label = |label: &str| {
            let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            plain && !label.is_empty() && label.len() <= 63
        };
        if text.len() > MAX_HOST_NAME || !text.split('.').all(label) {
            return Err("expected the name of a host without a port, as jani.example.com".into());
        }
        Ok(HostName(text.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(text: String) -> Result<HostName, String> {
        text.parse().map_err(|rule| format!("`{text}`: {rule}"))
    }
}

impl ValueEnum for Language {
    fn value_variants<'a>() -> &'a [Language] {
        &Language::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

/// An address to listen on; `localhost` stands for 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(pub SocketAddr);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_string(),
        };
        let address = numeric.parse().map_err(|_| "expected an IP address and a port, as 127.0.0.1:12111")?;
        Ok(Endpoint(address))
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Endpoint, String> {
        text.parse().map_err(|rule| format!("`{text}`: {rule}"))
    }
}

/// A stretch of time as people write it: `500ms`, `30s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

/// The longest stretch that an option may ask for.
const LONGEST_SPAN: Duration = Duration::from_secs(24 * 3600);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let rule = "expected a whole number and a unit (ms, s, m or h), at most 24h, as 30s or 500ms";
        duration(text).filter(|span| *span <= LONGEST_SPAN && !text.ends_with('d')).map(Span).ok_or_else(|| rule.into())
    }
}

/// A whole number and a unit, from milliseconds to days.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let millis_per_unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 24 * 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(millis_per_unit).map(Duration::from_millis)
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Span, String> {
        text.parse().map_err(|rule| format!("`{text}`: {rule}"))
    }
}

// The file spells words as the flags do.
impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<LogFormat, D::Error> {
        one_of(deserializer)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
        one_of(deserializer)
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        one_of(deserializer)
    }
}

fn one_of<'de, T: ValueEnum, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    T::from_str(&text, false).map_err(|_| {
        let names: Vec<String> = T::value_variants()
            .iter()
            .filter_map(|value| value.to_possible_value())
            .map(|value| value.get_name().to_string())
            .collect();
        serde::de::Error::custom(format!("`{text}` is not one of {}", names.join(", ")))
    })
}
