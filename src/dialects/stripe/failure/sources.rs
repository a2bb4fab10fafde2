//! Refusals about sources of the Sources API. Only the first text is Stripe's: its documents give none of the others.

use super::Refusal;
use crate::domain::ids::InstrumentId;
use crate::domain::money::Currency;
use crate::domain::source::{Rules, SourceStatus, SourceType};

impl Refusal {
    pub(super) fn source_not_attachable() -> Refusal {
        // github.com/stripe/stripe-node/issues/903
        Refusal::new(
            400,
            "The source you provided cannot be attached to the customer. It must be chargeable or pending.",
        )
    }

    pub(super) fn source_single_use() -> Refusal {
        Refusal::new(400, "The source you provided cannot be attached to the customer. It must be reusable.")
    }

    pub(super) fn source_attached_already() -> Refusal {
        Refusal::new(400, "The source you provided has already been attached to a customer.")
    }

    pub(super) fn source_settled(id: &InstrumentId, status: SourceStatus) -> Refusal {
        let status = status.as_str();
        Refusal::new(400, format!("The source {id} has the status '{status}', from which it cannot go there any more."))
    }

    /// An amount of what is for as much as arrives.
    pub fn source_without_amount(kind: SourceType) -> Refusal {
        let kind = kind.as_str();
        Refusal::invalid("amount", format!("Sources of type '{kind}' are for as much as arrives: leave out `amount`."))
    }

    pub(super) fn not_receiving() -> Refusal {
        Refusal::invalid("amount", "No money arrives at this source by itself: leave out `amount`.")
    }

    /// A type that needs a bank, in live mode.
    pub fn source_needs_bank(kind: SourceType) -> Refusal {
        let kind = kind.as_str();
        Refusal::invalid(
            "type",
            format!("This server has no bank in live mode, so sources of type '{kind}' can be made in test mode only."),
        )
    }

    /// A currency that sources of the type are not in.
    pub fn source_currency(rules: &Rules, given: Currency) -> Refusal {
        let (kind, known) = (rules.kind.as_str(), rules.currencies.join(", "));
        Refusal::invalid(
            "currency",
            format!("Invalid currency: {given}. Sources of type '{kind}' are in these currencies: {known}"),
        )
    }

    /// Something that sources of the type are not.
    pub fn source_is_not(rules: &Rules, param: &str, given: &str, known: &[&str]) -> Refusal {
        let (kind, known) = (rules.kind.as_str(), known.join(" or "));
        Refusal::invalid(
            param,
            format!("Invalid {param}: sources of type '{kind}' have the {param} {known}, not {given}."),
        )
    }

    /// A parameter that sources of the type do not have.
    pub fn not_of_source(kind: SourceType, param: &str) -> Refusal {
        let kind = kind.as_str();
        Refusal::invalid(param, format!("Sources of type '{kind}' do not have the parameter '{param}'."))
    }

    /// Something that is no URL.
    pub fn url(param: &str) -> Refusal {
        Refusal::invalid(param, "Not a valid URL").code("url_invalid")
    }

    /// A client secret of another source.
    pub fn other_client_secret() -> Refusal {
        Refusal::invalid("client_secret", "The client secret provided does not belong to this source.")
    }
}
