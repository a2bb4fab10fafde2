//! Refusals of sessions of the official CLI.

use super::Refusal;

impl Refusal {
    /// An id that is no session's, or not any more. The CLI knows these words: it then asks for another session
    /// (github.com/stripe/stripe-cli, `pkg/websocket/client.go`).
    pub fn unknown_websocket() -> Refusal {
        Refusal::new(400, "Unknown WebSocket ID.")
    }

    /// A request that does not ask for a WebSocket, where there is nothing else.
    pub fn no_websocket() -> Refusal {
        Refusal::new(426, "This URL is for WebSocket connections of the Stripe CLI.")
            .header(hyper::header::UPGRADE, "websocket")
    }

    /// A WebSocket on which something else would be spoken.
    pub fn other_websocket_protocol(protocol: &str) -> Refusal {
        Refusal::new(400, format!("The only WebSocket protocol that is spoken here is '{protocol}'."))
    }

    /// A session that was asked for something else.
    pub fn other_websocket_feature() -> Refusal {
        Refusal::invalid("websocket_feature", "The session is not for this WebSocket feature.")
    }

    /// One more session than an account can have connected.
    pub fn too_many_websockets() -> Refusal {
        Refusal::new(429, "Too many sessions of the Stripe CLI are connected for this account.").code("rate_limit")
    }

    /// Filters that cannot be kept to.
    pub fn websocket_filters() -> Refusal {
        Refusal::invalid("filters", "Invalid filters: must be the JSON that 'stripe logs tail' makes of its options")
    }

    /// A request that does not say how it reached the server, so that it cannot be told where to connect.
    pub fn no_host() -> Refusal {
        Refusal::new(400, "The request has no Host header, so this server does not know where you can connect to it.")
    }

    /// The server was not given what it would seal sessions with.
    pub fn no_sessions() -> Refusal {
        Refusal::new(400, "This server was started without a secrets key, so it has no sessions of the Stripe CLI.")
    }
}
