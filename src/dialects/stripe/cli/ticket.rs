//! The id of a session: a ticket that says whose it is and what it is for, under the seal of the servers' secrets key. Any
//! server of a fleet reads it, so nothing of a session is kept, and nobody else can make one or change one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::filters::Filters;
use crate::app::Pass;
use crate::domain::account::Mode;
use crate::domain::api_key::KeyDigest;
use crate::domain::ids::AccountId;
use crate::domain::time::Time;

/// The longest text that is read as a ticket, in bytes.
const MAX_TEXT: usize = 16 << 10;

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Feature {
    /// To hear of events.
    #[serde(rename = "webhooks")]
    Webhooks,
    /// To hear of requests.
    #[serde(rename = "request_logs")]
    RequestLogs,
}

impl Feature {
    /// As the CLI asks for it.
    pub fn asked(name: &str) -> Option<Feature> {
        match name {
            "webhooks" => Some(Feature::Webhooks),
            "request_logs" => Some(Feature::RequestLogs),
            _ => None,
        }
    }

    /// As it is granted, and named again when the CLI connects.
    pub fn granted(self) -> &'static str {
        match self {
            Feature::Webhooks => "webhook-payloads",
            Feature::RequestLogs => "request_logs",
        }
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Its name, `cliws_…`, which tells it from every other: what its deliveries are kept under.
    pub name: String,
    /// Who asked for it, and whose records it tells of.
    pub pass: Pass,
    /// What it is for.
    pub feature: Feature,
    /// The place in the account's history at which it began.
    pub since: i64,
    /// When it began.
    pub began: Time,
    /// Until when it can be connected to.
    pub expires: Time,
    /// What the machine that asked for it calls itself.
    pub device: String,
    /// Where the CLI said that it sends events on to.
    pub forward_to: Option<String>,
    /// Which requests it wants to hear of.
    pub filters: Filters,
}

/// A ticket as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    key: String,
    owner: String,
    account: String,
    live: bool,
    feature: Feature,
    since: i64,
    began: i64,
    expires: i64,
    device: String,
    forward_to: Option<String>,
    #[serde(default, skip_serializing_if = "Filters::is_empty")]
    filters: Filters,
}

/// What puts the seal on a ticket.
pub type Seal<'a> = &'a dyn Fn(&[u8]) -> [u8; 32];

impl Ticket {
    /// The ticket as text: its name, what it says, the seal.
    pub fn to_text(&self, seal: Seal<'_>) -> String {
        let Ticket { name, pass, feature, since, began, expires, device, forward_to, filters } = self;
        let Pass { key, owner, account, mode } = pass;
        let written = Written {
            name: name.clone(),
            key: URL_SAFE_NO_PAD.encode(key),
            owner: owner.0.clone(),
            account: account.0.clone(),
            live: *mode == Mode::Live,
            feature: *feature,
            since: *since,
            began: began.0,
            expires: expires.0,
            device: device.clone(),
            forward_to: forward_to.clone(),
            filters: filters.clone(),
        };
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).expect("strings and numbers can be written"));
        let sealed = URL_SAFE_NO_PAD.encode(seal(said.as_bytes()));
        format!("{name}.{said}.{sealed}")
    }

    /// The ticket of a text that bears the seal and has not expired.
    pub fn of(text: &str, seal: Seal<'_>, now: Time) -> Option<Ticket> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut parts = text.split('.');
        let (named, said, sealed) = (parts.next()?, parts.next()?, parts.next()?);
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok().filter(|_| parts.next().is_none())?;
        if !is_same(&seal(said.as_bytes()), &sealed) {
            return None;
        }
        let written: Written = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        let Written { name, key, owner, account, live, feature, since, began, expires, device, forward_to, filters } =
            written;
        let key: KeyDigest = URL_SAFE_NO_PAD.decode(key).ok()?.try_into().ok()?;
        let mode = if live { Mode::Live } else { Mode::Test };
        let pass = Pass { key, owner: AccountId(owner), account: AccountId(account), mode };
        let (began, expires) = (Time(began), Time(expires));
        let ticket = Ticket { name, pass, feature, since, began, expires, device, forward_to, filters };
        (ticket.name == named && now < expires).then_some(ticket)
    }
}

/// Compares without telling by its time how much is alike.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Time = Time(1_772_366_400_000);

    fn seal(said: &[u8]) -> [u8; 32] {
        use sha2::{Digest as _, Sha256};
        Sha256::new_with_prefix("sesame").chain_update(said).finalize().into()
    }

    fn other_seal(said: &[u8]) -> [u8; 32] {
        let mut sealed = seal(said);
        sealed[31] ^= 1;
        sealed
    }

    fn ticket() -> Ticket {
        Ticket {
            name: "cliws_1".into(),
            pass: Pass {
                key: [7; 32],
                owner: AccountId("acct_1".into()),
                account: AccountId("acct_2".into()),
                mode: Mode::Live,
            },
            feature: Feature::RequestLogs,
            since: 42,
            began: NOON,
            expires: NOON.plus_millis(1),
            device: "Ada's \"machine\"".into(),
            forward_to: Some("http://127.0.0.1:4242/webhook".into()),
            filters: Filters::parse(r#"{"filter_http_method":["GET"]}"#).unwrap(),
        }
    }

    #[test]
    fn a_ticket_is_read_as_it_was_written() {
        let text = ticket().to_text(&seal);
        assert_eq!(Ticket::of(&text, &seal, NOON), Some(ticket()));
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "it is the value of a header: {text}");
        let plain = Ticket { filters: Filters::default(), forward_to: None, ..ticket() };
        assert_eq!(Ticket::of(&plain.to_text(&seal), &seal, NOON), Some(plain));
    }

    #[test]
    fn a_ticket_ends_with_its_time() {
        assert_eq!(Ticket::of(&ticket().to_text(&seal), &seal, NOON.plus_millis(1)), None);
    }

    #[test]
    fn nothing_of_a_ticket_can_be_changed() {
        let text = ticket().to_text(&seal);
        assert_eq!(Ticket::of(&text, &other_seal, NOON), None);
        for place in 0..text.len() {
            let other = if text.as_bytes()[place] == b'A' { 'B' } else { 'A' };
            let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
            // The last character of base64 has bits to spare.
            if place + 1 < text.len() {
                assert_eq!(Ticket::of(&changed, &seal, NOON), None, "{changed}");
            }
        }
    }

    #[test]
    fn what_is_no_ticket_is_none() {
        let text = ticket().to_text(&seal);
        let long = format!("cliws_1.{}.x", "A".repeat(MAX_TEXT));
        for text in ["", ".", "..", "...", "cliws_1", "cliws_1.e30.e30", "é.é.é", &format!("{text}."), &long] {
            assert_eq!(Ticket::of(text, &seal, NOON), None, "{text}");
        }
    }
}
