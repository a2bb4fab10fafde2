//! What a caller can do wrong once its request is understood. Each dialect puts a problem into its own words.

use super::balance::BalanceWish;
use super::card::ExpiryFault;
use super::catalogue::CatalogueProblem;
use super::decline::Decline;
use super::ids::{
    BalanceTransactionId, BusinessId, CashTransactionId, CouponId, CustomerAddressId, CustomerId, DeliveryId, EventId,
    InstrumentId, PromotionCodeId, SetupIntentId, SnapshotId, TaxIdId, TokenId, WebhookEndpointId,
};
use super::instrument::SourceKind;
use super::money::Currency;
use super::rental_problem::RentalProblem;
use super::setup_intent::{MethodType, SetupIntent, SetupVerb};
use super::source::{SourceStatus, SourceType};
use super::time::Time;

/// A refusal by the rules: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No customer of that id in this space, or only a deleted one where a live one is needed.
    NoSuchCustomer {
        /// The id that was asked for.
        id: CustomerId,
        /// The same account has one of that id in its other mode.
        in_other_mode: bool,
    },
    /// The customer has no balance transaction of that id.
    NoSuchBalanceTransaction(BalanceTransactionId),
    /// No event of that id in this space.
    NoSuchEvent(EventId),
    /// No webhook endpoint of that id in this space.
    NoSuchWebhookEndpoint(WebhookEndpointId),
    /// The account has as many webhook endpoints as it can.
    TooManyWebhookEndpoints,
    /// As many former secrets of the webhook endpoint go on as can.
    TooManySecrets(WebhookEndpointId),
    /// The webhook endpoint is disabled, so nothing can be sent to it.
    WebhookEndpointDisabled(WebhookEndpointId),
    /// No delivery of that id in this space.
    NoSuchDelivery(DeliveryId),
    /// No snapshot of that id of this sandbox.
    NoSuchSnapshot(SnapshotId),
    /// The sandbox has as many snapshots as it can.
    TooManySnapshots,
    /// The record is not at the version that the caller insists on.
    VersionMismatch {
        /// The version it is at.
        current: u64,
    },
    /// The merged free data would have too many keys.
    TooManyMetadataKeys {
        /// How many it would have.
        count: usize,
    },
    /// Another live customer of the account has the e-mail address, case apart.
    EmailTaken,
    /// Another customer of the account, maybe a deleted one, has the invoice prefix.
    InvoicePrefixTaken {
        /// The prefix.
        prefix: String,
    },
    /// The caller insists on a tax location, and the customer's facts do not give one.
    TaxLocationUnknown,
    /// The customer's currency is fixed to another one.
    CurrencyMismatch {
        /// The customer's.
        customer: Currency,
        /// The caller's.
        given: Currency,
    },
    /// The balance, or the movement to it, would not fit into 64 bits.
    BalanceOutOfRange(BalanceWish),
    /// No living coupon of that id in this space.
    NoSuchCoupon {
        /// The id that was asked for.
        id: CouponId,
        /// The same account has one of that id in its other mode.
        in_other_mode: bool,
    },
    /// A living coupon has the id.
    CouponExists,
    /// The coupon can no longer be redeemed.
    CouponExpired {
        /// Its id.
        id: CouponId,
    },
    /// No promotion code of that id in this space.
    NoSuchPromotionCode {
        /// The id that was asked for.
        id: PromotionCodeId,
        /// The same account has one of that id in its other mode.
        in_other_mode: bool,
    },
    /// Another promotion code is active whose code a customer could mean as well.
    PromotionCodeTaken {
        /// The code.
        code: String,
    },
    /// The promotion code expired or was redeemed as often as it can be.
    PromotionCodeSpent {
        /// Its id.
        id: PromotionCodeId,
    },
    /// The customer cannot redeem the promotion code.
    PromotionCodeRefused {
        /// Its id.
        id: PromotionCodeId,
        /// Why.
        why: CodeRefusal,
    },
    /// The customer has no discount.
    NoDiscount(CustomerId),
    /// The customer has no source of that id.
    NoSuchSource(InstrumentId),
    /// The customer has no payment method of that id.
    PaymentMethodNotAttached(InstrumentId),
    /// No payment method of that id in this space.
    NoSuchPaymentMethod(InstrumentId),
    /// A customer holds the payment method already.
    AttachedAlready,
    /// The payment method was used before, so that no customer can hold it.
    PaymentMethodSpent,
    /// No customer holds the payment method, and it can be changed only where one does.
    NotAttached(InstrumentId),
    /// The change is one of another type of payment method.
    OtherPaymentMethodType {
        /// What it is.
        is: &'static str,
        /// What the change is of.
        given: &'static str,
    },
    /// No setup intent of that id in this space.
    NoSuchSetupIntent {
        /// The id that was asked for.
        id: SetupIntentId,
        /// The same account has one of that id in its other mode.
        in_other_mode: bool,
    },
    /// What is wanted of the setup intent does not go with how far it is.
    SetupIntentState {
        /// The intent.
        intent: Box<SetupIntent>,
        /// What was wanted.
        wish: SetupVerb,
    },
    /// The payment method is of none of the types that were asked for.
    TypeNotAllowed {
        /// What it is.
        given: &'static str,
        /// What was asked for.
        allowed: Vec<MethodType>,
    },
    /// Somebody else holds the payment method.
    HeldByOther {
        /// The payment method.
        method: InstrumentId,
        /// Who was to hold it.
        wanted: Option<CustomerId>,
    },
    /// The customer holds as many instruments as it can.
    TooManyInstruments,
    /// What was brought as a source is none of the sort that was asked for.
    OtherSource {
        /// What was asked for.
        wanted: SourceKind,
    },
    /// The customer has that bank account.
    BankAccountExists,
    /// The bank account is proven already.
    AlreadyVerified,
    /// The bank account's owner told wrong amounts too often, or a payment from it failed.
    CannotBeVerified,
    /// The customer has no tax id of that id, or no customer has.
    NoSuchTaxId(TaxIdId),
    /// The customer has as many tax ids as it may.
    TooManyTaxIds,
    /// The source failed, or was canceled or consumed, so that no customer can hold it.
    SourceNotAttachable,
    /// The source can be charged but once, so that no customer can hold it.
    SourceSingleUse,
    /// A customer holds the source already.
    SourceAttachedAlready,
    /// Nothing about the source is waited for any more.
    SourceSettled {
        /// Its id.
        id: InstrumentId,
        /// How far it has come.
        status: SourceStatus,
    },
    /// How much the source is for is known when money arrives.
    SourceWithoutAmount(SourceType),
    /// Money is to arrive, and nobody says how much.
    NothingReceived,
    /// Money is to arrive where none can.
    NotReceiving,
    /// A deadline is not in the future.
    DeadlinePassed(Deadline),
    /// A deadline is too far in the future.
    DeadlineTooFar(Deadline),
    /// A promotion code would outlive its coupon.
    ExpiresAfterCoupon {
        /// When the coupon ends.
        redeem_by: Time,
    },
    /// No token of that id in this space.
    NoSuchToken {
        /// The id that was asked for.
        id: TokenId,
        /// The same account has one of that id in its other mode.
        in_other_mode: bool,
    },
    /// The token was used before.
    TokenUsed {
        /// Its id.
        id: TokenId,
    },
    /// The card or the bank account is not taken.
    Declined(Decline),
    /// A card would change to one that is over, or to one that there cannot be.
    ExpiryOver(ExpiryFault),
    /// A promotion code could be redeemed more often than its coupon.
    MoreRedemptionsThanCoupon {
        /// How often the coupon can be.
        most: i64,
    },
    /// The customer has no cash transaction of that id.
    NoSuchCashTransaction(CashTransactionId),
    /// The cash balance would not fit into 64 bits.
    CashOutOfRange,
    /// The customer has a cash balance, so it cannot be deleted.
    CashHeld,
    /// The customer has no address of that id.
    NoSuchCustomerAddress(CustomerAddressId),
    /// The customer has no business of that id.
    NoSuchBusiness(BusinessId),
    /// The customer has as many of something as it may.
    TooManyOfCustomer {
        /// Of what, as `addresses`.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// Something about products, variants or assets.
    Catalogue(CatalogueProblem),
    /// Something is wrong with an order, a rental or what they are made of.
    Rental(RentalProblem),
}

impl From<CatalogueProblem> for Problem {
    fn from(problem: CatalogueProblem) -> Problem {
        Problem::Catalogue(problem)
    }
}

impl From<RentalProblem> for Problem {
    fn from(problem: RentalProblem) -> Problem {
        Problem::Rental(problem)
    }
}

impl Problem {
    /// What it is called in the code, without what it is about: for logs.
    pub fn name(&self) -> String {
        let written = format!("{self:?}");
        let inner = written.strip_prefix("Rental(").or_else(|| written.strip_prefix("Catalogue("));
        let named = inner.unwrap_or(&written);
        named.chars().take_while(|letter| letter.is_ascii_alphanumeric()).collect()
    }

    /// Whether the caller can mend the same request: what it states is wrong, or it read what is no longer so. Everything
    /// else is an outcome, which a retry gets again.
    pub fn is_of_parameters(&self) -> bool {
        match self {
            Problem::VersionMismatch { .. }
            | Problem::TooManyMetadataKeys { .. }
            | Problem::TaxLocationUnknown
            | Problem::BalanceOutOfRange(_)
            | Problem::OtherPaymentMethodType { .. }
            | Problem::OtherSource { .. }
            | Problem::SourceWithoutAmount(_)
            | Problem::NothingReceived
            | Problem::NotReceiving
            | Problem::DeadlinePassed(_)
            | Problem::DeadlineTooFar(_)
            | Problem::ExpiresAfterCoupon { .. }
            | Problem::MoreRedemptionsThanCoupon { .. }
            | Problem::ExpiryOver(_)
            | Problem::TypeNotAllowed { .. }
            | Problem::CashOutOfRange => true,
            Problem::Catalogue(problem) => problem.is_of_parameters(),
            Problem::NoSuchCustomer { .. }
            | Problem::NoSuchBalanceTransaction(_)
            | Problem::NoSuchEvent(_)
            | Problem::NoSuchWebhookEndpoint(_)
            | Problem::TooManyWebhookEndpoints
            | Problem::TooManySecrets(_)
            | Problem::WebhookEndpointDisabled(_)
            | Problem::NoSuchDelivery(_)
            | Problem::NoSuchSnapshot(_)
            | Problem::TooManySnapshots
            | Problem::EmailTaken
            | Problem::InvoicePrefixTaken { .. }
            | Problem::CurrencyMismatch { .. }
            | Problem::NoSuchCoupon { .. }
            | Problem::CouponExists
            | Problem::CouponExpired { .. }
            | Problem::NoSuchPromotionCode { .. }
            | Problem::PromotionCodeTaken { .. }
            | Problem::PromotionCodeSpent { .. }
            | Problem::PromotionCodeRefused { .. }
            | Problem::NoDiscount(_)
            | Problem::NoSuchSource(_)
            | Problem::PaymentMethodNotAttached(_)
            | Problem::NoSuchPaymentMethod(_)
            | Problem::AttachedAlready
            | Problem::PaymentMethodSpent
            | Problem::NotAttached(_)
            | Problem::NoSuchSetupIntent { .. }
            | Problem::SetupIntentState { .. }
            | Problem::HeldByOther { .. }
            | Problem::TooManyInstruments
            | Problem::BankAccountExists
            | Problem::AlreadyVerified
            | Problem::CannotBeVerified
            | Problem::NoSuchTaxId(_)
            | Problem::TooManyTaxIds
            | Problem::SourceNotAttachable
            | Problem::SourceSingleUse
            | Problem::SourceAttachedAlready
            | Problem::SourceSettled { .. }
            | Problem::NoSuchToken { .. }
            | Problem::TokenUsed { .. }
            // "A decline is an outcome": docs.stripe.com/error-low-level.
            | Problem::Declined(_)
            | Problem::NoSuchCashTransaction(_)
            | Problem::CashHeld
            | Problem::NoSuchCustomerAddress(_)
            | Problem::NoSuchBusiness(_)
            | Problem::TooManyOfCustomer { .. }
            | Problem::Rental(_) => false,
        }
    }
}

/// Why a customer cannot redeem a promotion code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// It is switched off.
    SwitchedOff,
    /// It expired or was redeemed as often as it can be.
    Spent,
    /// It is for another customer.
    ForAnother,
}

/// A moment after which something cannot be redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Of a coupon.
    RedeemBy,
    /// Of a promotion code.
    ExpiresAt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_named_without_what_it_is_about() {
        let code = Problem::PromotionCodeTaken { code: "SECRET".into() };
        let inner = Problem::Rental(RentalProblem::RentalNotActive(crate::domain::rental::RentalStatus::Active));
        for (problem, name) in
            [(code, "PromotionCodeTaken"), (inner, "RentalNotActive"), (Problem::EmailTaken, "EmailTaken")]
        {
            assert_eq!(problem.name(), name);
        }
    }
}
