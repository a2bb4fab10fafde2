//! Refusals about webhook endpoints.

use super::Refusal;
use crate::domain::webhook::MAX_ENDPOINTS;

impl Refusal {
    /// No endpoint of that id.
    pub fn no_such_webhook_endpoint(id: &str) -> Refusal {
        Refusal { status: 404, ..Refusal::no_such("webhook endpoint", id, "id") }
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
