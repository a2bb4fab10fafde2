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

    /// The key is being worked on.
    pub fn idempotency_key_in_use(key: &str) -> Refusal {
        Refusal::new(
            409,
            format!(
                "There is currently another in-progress request using this Idempotent Key (that probably means you \
                 submitted twice, and the other request is still going through): {key}. Please try again later."
            ),
        )
        .code("idempotency_key_in_use")
        .kind(IDEMPOTENCY)
    }

    /// The key was used with other parameters.
    pub fn other_parameters(key: &str) -> Refusal {
        Refusal::new(
            400,
            format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
                 using a key other than '{key}' if you meant to execute a different request."
            ),
        )
        .kind(IDEMPOTENCY)
    }

    /// The key was used for another endpoint.
    pub fn other_endpoint(key: &str, first: &str, now: &str) -> Refusal {
        Refusal::new(
            400,
            format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{now}' \
                 vs '{first}'). Try using a key other than '{key}' if you meant to execute a different request."
            ),
        )
        .kind(IDEMPOTENCY)
    }
}
