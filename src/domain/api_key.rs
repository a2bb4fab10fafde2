//! What a caller may do. The key itself is never kept: only its digest is.

use std::collections::BTreeMap;

use super::account::Mode;
use super::ids::AccountId;
use super::time::Time;
use super::words::words;

/// The digest of an API key: SHA-256 of its text.
pub type KeyDigest = [u8; 32];

/// What sort of key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// May do everything.
    Secret,
    /// May do what its permissions say; what is not listed is refused.
    Restricted(BTreeMap<Resource, Access>),
    /// For browsers: may state something to pay with, and see what it shows the secret of. Which operations those are is no
    /// matter of resources: a dialect says so of each.
    Publishable,
}

words! {
    /// A group of operations that a restricted key can be allowed, in the order in which help and errors list them.
    pub enum Resource {
        /// Account details.
        Account = "account",
        /// Things that are rented out, one by one.
        Asset = "asset",
        /// Groups of rentals that are billed together.
        BillingGroup = "billing_group",
        /// Companies of a customer.
        Business = "business",
        /// Coupons.
        Coupon = "coupon",
        /// Customers, what they hold and their balances.
        Customer = "customer",
        /// Addresses of a customer.
        CustomerAddress = "customer_address",
        /// Events.
        Event = "event",
        /// Orders.
        Order = "order",
        /// Payment methods.
        PaymentMethod = "payment_method",
        /// Products and their variants.
        Product = "product",
        /// Promotion codes.
        PromotionCode = "promotion_code",
        /// Rentals.
        Rental = "rental",
        /// Payments of rentals.
        RentalPayment = "rental_payment",
        /// Setup intents and their attempts.
        SetupIntent = "setup_intent",
        /// Sources of the Sources API.
        Source = "source",
        /// Tax ids by themselves; one that is made with its customer comes with it.
        TaxId = "tax_id",
        /// Tokens.
        Token = "token",
        /// Webhook endpoints and the deliveries to them.
        WebhookEndpoint = "webhook_endpoint",
    }
}

/// How far a permission goes; writing includes reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing.
    None,
    /// Retrieve and list.
    Read,
    /// Also create, update and delete.
    Write,
}

impl Access {
    /// `none`, `read` or `write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::None => "none",
            Access::Read => "read",
            Access::Write => "write",
        }
    }
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// SHA-256 of the key's text.
    pub digest: KeyDigest,
    /// The account it belongs to.
    pub account: AccountId,
    /// The mode that it opens.
    pub mode: Mode,
    /// What it may do.
    pub kind: KeyKind,
    /// The operator's name for it.
    pub label: Option<String>,
    /// Its last four characters, to recognise it by.
    pub last4: String,
    /// When it was made.
    pub created: Time,
    /// Since when it opens nothing any more.
    pub revoked: Option<Time>,
}

impl ApiKey {
    /// Whether the key may act on `resource` as far as `access`.
    pub fn allows(&self, resource: Resource, access: Access) -> bool {
        match &self.kind {
            KeyKind::Secret => true,
            KeyKind::Publishable => false,
            KeyKind::Restricted(permissions) => permissions.get(&resource).is_some_and(|given| *given >= access),
        }
    }
}
