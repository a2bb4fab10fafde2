//! Refusals about idempotency keys: docs.stripe.com/api/idempotent_requests.

use super::Refusal;

const IDEMPOTENCY: &str = "idempotency_error";

impl Refusal {
    /// An idempotency key that is empty.
    pub fn empty_idempotency_key() -> Refusal {
        Refusal::new(400, "Idempotency Key must be a non-empty string.")
    }

    /// An idempotency key that is too long or not plain text.
    pub fn bad_idempotency_key(most: usize) -> Refusal {
        Refusal::new(400, format!("Idempotency Key must be one plain text of at most {most} characters."))
    }
}
