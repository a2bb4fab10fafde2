//! What the CLI says on its line: that it has something, and what came of sending it on. Of an answer as much is kept as of
//! those to webhooks.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::answer::{MAX_BODY_BYTES, MAX_HEADERS, header, shown};
use crate::domain::delivery::Outcome;

/// The most that is kept of a URL, in bytes.
const MAX_URL: usize = 2_000;
/// The longest id that is understood, in bytes.
const MAX_ID: usize = 100;

/// What the CLI says: github.com/stripe/stripe-cli, `pkg/websocket/webhook_messages.go`.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// It has what was sent to it in this conversation.
    Acknowledged(String),
    /// It has sent it on, and was answered.
    Answered(Response),
    /// Something else.
    Other,
}

/// An answer to an event that was sent on.
#[derive(Debug, PartialEq)]
pub struct Response {
    /// The conversation in which the event was told.
    pub conversation: String,
    /// The event's id.
    pub event: String,
    /// Where it was sent on to.
    pub url: String,
    /// What came of it.
    pub outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Message {
    #[serde(rename = "event_ack")]
    Acknowledged { webhook_conversation_id: String },
    #[serde(rename = "webhook_response")]
    Answered {
        webhook_conversation_id: String,
        webhook_id: String,
        #[serde(default)]
        forward_url: String,
        status: u16,
        #[serde(default)]
        http_headers: Option<BTreeMap<String, String>>,
        #[serde(default)]
        body: String,
    },
    #[serde(other)]
    Other,
}

impl Said {
    /// What a text says; `None` when it is no message of the CLI's.
    pub fn of(text: &str) -> Option<Said> {
        let message: Message = serde_json::from_str(text).ok()?;
        Some(match message {
            Message::Other => Said::Other,
            Message::Acknowledged { webhook_conversation_id: conversation } => {
                Said::Acknowledged(conversation).short()?
            }
            Message::Answered { webhook_conversation_id, webhook_id, forward_url, status, http_headers, body } => {
                let headers = http_headers.unwrap_or_default();
                let headers = headers.iter().take(MAX_HEADERS).map(|(name, value)| header(name, value));
                let outcome = Outcome::Answered {
                    status,
                    headers: headers.collect(),
                    truncated: body.len() > MAX_BODY_BYTES,
                    body: shown(&body, MAX_BODY_BYTES),
                };
                let url = shown(&forward_url, MAX_URL);
                Said::Answered(Response { conversation: webhook_conversation_id, event: webhook_id, url, outcome })
                    .short()?
            }
        })
    }

    /// The same, if its ids are as short as ids are.
    fn short(self) -> Option<Said> {
        let short = match &self {
            Said::Acknowledged(conversation) => conversation.len() <= MAX_ID,
            Said::Answered(response) => response.conversation.len() <= MAX_ID && response.event.len() <= MAX_ID,
            Said::Other => true,
        };
        short.then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clis_messages_are_understood() {
        let text = r#"{"type":"event_ack","webhook_conversation_id":"wc_1","event_id":"evt_1"}"#;
        assert_eq!(Said::of(text), Some(Said::Acknowledged("wc_1".into())));
        let text = r#"{"forward_url":"http://127.0.0.1:1/","status":402,"http_headers":{"Server":"x","Set-Cookie":"id=1"},
            "body":"no: 4242424242424242\u0000","type":"webhook_response","webhook_conversation_id":"wc_1","webhook_id":"evt_1"}"#;
        let Some(Said::Answered(response)) = Said::of(text) else { panic!("it is an answer") };
        assert_eq!(
            (&*response.conversation, &*response.event, &*response.url),
            ("wc_1", "evt_1", "http://127.0.0.1:1/")
        );
        let Outcome::Answered { status, headers, body, truncated } = response.outcome else {
            panic!("it was answered")
        };
        assert_eq!((status, truncated), (402, false));
        assert_eq!(headers, [("server".to_owned(), "x".to_owned()), ("set-cookie".to_owned(), "…".to_owned())]);
        assert!(body.starts_with("no: ") && !body.contains("42424242") && body.ends_with('\u{fffd}'), "{body}");
        assert_eq!(Said::of(r#"{"type":"hello","more":1}"#), Some(Said::Other));
    }

    #[test]
    fn of_a_long_answer_the_beginning_is_kept() {
        let headers: Vec<String> = (0..40).map(|number| format!(r#""h{number}":"{}""#, "v".repeat(300))).collect();
        let text = format!(
            r#"{{"type":"webhook_response","webhook_conversation_id":"wc_1","webhook_id":"evt_1","status":200,
                "http_headers":{{{}}},"body":"{}"}}"#,
            headers.join(","),
            "é".repeat(3_000)
        );
        let Some(Said::Answered(Response { outcome, .. })) = Said::of(&text) else { panic!("it is an answer") };
        let Outcome::Answered { headers, body, truncated, .. } = outcome else { panic!("it was answered") };
        assert_eq!((headers.len(), headers[0].1.len(), body.len(), truncated), (32, 256, 4_096, true));
    }

    #[test]
    fn what_is_no_message_is_none() {
        let long = format!(r#"{{"type":"event_ack","webhook_conversation_id":"{}"}}"#, "w".repeat(200));
        for text in [
            "",
            "x",
            "[]",
            "{}",
            "null",
            r#"{"type":1}"#,
            r#"{"type":"event_ack"}"#,
            r#"{"type":"webhook_response","webhook_conversation_id":"wc_1","webhook_id":"evt_1","status":70000}"#,
            &long,
        ] {
            assert_eq!(Said::of(text), None, "{text}");
        }
    }
}
