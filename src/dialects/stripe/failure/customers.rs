//! Refusals about a customer's own facts.

use super::Refusal;

impl Refusal {
    /// An invoice prefix that another customer has.
    pub fn taken_invoice_prefix(prefix: &str) -> Refusal {
        let message = format!("The invoice prefix '{prefix}' is already in use by another customer.");
        Refusal::invalid("invoice_prefix", message)
    }
}
