//! Refusals about webhook endpoints.

use super::Refusal;
use crate::domain::webhook::{MAX_ENDPOINTS, MAX_FORMER};

impl Refusal {
    /// A URL that webhooks cannot be sent to. The code is that of api/webhook_endpoints; of the words, those about the
    /// scheme are known.
    pub fn webhook_url(why: &str) -> Refusal {
        Refusal::invalid("url", format!("Invalid URL: {why}.")).code("url_invalid")
    }

    /// Something that is no type of event.
    pub fn event_type(place: usize, given: &str) -> Refusal {
        let shown: String = given.chars().take(super::MAX_SHOWN_CHARACTERS).collect();
        Refusal::invalid(
            format!("enabled_events[{place}]"),
            format!(
                "Invalid enabled_events[{place}]: '{shown}' is no type of event. See \
                 https://stripe.com/docs/api/events/types for those that there are."
            ),
        )
    }

    /// Every type of event, and others beside.
    pub fn everything_and_more() -> Refusal {
        Refusal::invalid(
            "enabled_events",
            "Invalid enabled_events: '*' stands for every type of event, so nothing can be beside it.",
        )
    }

    /// A version that events cannot be told in.
    pub fn webhook_version(given: &str) -> Refusal {
        let shown: String = given.chars().take(super::MAX_SHOWN_CHARACTERS).collect();
        let listed = super::super::versions::LISTED.join(", ");
        Refusal::invalid("api_version", format!("Invalid api_version: '{shown}'. This server speaks {listed}."))
    }

    /// An endpoint for the events of connected accounts.
    pub fn connect() -> Refusal {
        Refusal::invalid(
            "connect",
            "This server has no webhook endpoints that hear of connected accounts: create one in each account, with the \
             header 'Stripe-Account'.",
        )
    }

    /// An event for somebody else's account.
    pub fn other_account() -> Refusal {
        Refusal::invalid("account", "This server tells an event to those who listen to the account of your key only.")
    }

    /// The server cannot make secrets.
    pub fn no_secrets_key() -> Refusal {
        Refusal::new(
            400,
            "This server has no key to make signing secrets from, so it has no webhook endpoints. Whoever runs it gives \
             it one with --secrets-key-file.",
        )
    }

    /// One former secret more than can go on.
    pub fn too_many_secrets(id: &str) -> Refusal {
        Refusal::new(400, format!("The webhook endpoint '{id}' signs with {MAX_FORMER} former secrets already."))
    }

    /// One endpoint more than an account can have.
    pub fn too_many_webhook_endpoints() -> Refusal {
        let message =
            format!("An account can have at most {MAX_ENDPOINTS} webhook endpoints. Delete one to create another.");
        Refusal::new(400, message)
    }

    /// Something is to be sent to an endpoint that takes nothing.
    pub fn webhook_endpoint_disabled(id: &str) -> Refusal {
        Refusal::new(400, format!("The webhook endpoint '{id}' is disabled. Enable it to send events to it."))
            .param("webhook_endpoint")
    }
}
