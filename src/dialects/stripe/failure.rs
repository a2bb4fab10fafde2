//! Refusals in Stripe's words. Every text that a client reads is here or in a file below.

mod cash;
mod customers;
mod declines;
mod idempotency;
mod instruments;
mod keys;
mod sessions;
mod setup;
mod sources;
mod webhooks;

use hyper::header::{ALLOW, HeaderName, RETRY_AFTER};
use hyper::{Method, StatusCode};

use crate::domain::balance::BalanceWish;
use crate::domain::problem::{CodeRefusal, Deadline, Problem};
use crate::domain::secret::without_card_numbers;
use crate::domain::snapshot::MAX_SNAPSHOTS;
use crate::domain::tax_id::MAX_TAX_IDS;
use crate::engine::Stop;
use crate::http::form::{FormError, FormErrorKind};
use crate::http::json::Object;
use crate::http::{Reply, Trouble};
use crate::store::Outlook;
pub use cash::CASH_TRANSACTION;
pub use setup::{SETUP_ATTEMPT, SETUP_INTENT};

/// Tells official clients whether to try again.
pub const SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");
const RATE_LIMITED_REASON: HeaderName = HeaderName::from_static("stripe-rate-limited-reason");

/// A refusal as the wire shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    decline_code: Option<&'static str>,
    param: Option<Box<str>>,
    message: Box<str>,
    /// What the refusal is about, by its key.
    objects: Option<Box<Object>>,
    headers: Vec<(HeaderName, String)>,
}

/// How an operation names what it works on: for the words about what is not there.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The customer.
    pub customer: Named,
    /// The coupon.
    pub coupon: Named,
    /// The promotion code.
    pub promotion_code: Named,
    /// The source.
    pub source: Named,
    /// The payment method.
    pub payment_method: Named,
    /// The setup intent.
    pub setup_intent: Named,
    /// The token.
    pub token: Named,
    /// The webhook endpoint.
    pub webhook_endpoint: Named,
    /// The parameter that brings the details of a bank account.
    pub bank_account: &'static str,
    /// The parameter that brings a currency.
    pub currency: &'static str,
}

/// How one thing is named.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    param: &'static str,
    /// By the path, which is then unknown; by a parameter, which is then wrong.
    by_path: bool,
}

impl Names {
    /// Everything by the path, as `id`.
    pub const BY_PATH: Names = {
        let id = Named { param: "id", by_path: true };
        Names {
            customer: id,
            coupon: id,
            promotion_code: id,
            source: id,
            payment_method: id,
            setup_intent: id,
            token: id,
            webhook_endpoint: id,
            bank_account: "bank_account",
            currency: "currency",
        }
    };
    /// The customer by the path, as `customer`.
    pub const CUSTOMER_BY_PATH: Names =
        Names { customer: Named { param: "customer", by_path: true }, ..Names::BY_PATH };
}

impl Named {
    /// By the path.
    pub const fn by_path(param: &'static str) -> Named {
        Named { param, by_path: true }
    }

    /// By a parameter.
    pub const fn by(param: &'static str) -> Named {
        Named { param, by_path: false }
    }
}

const INVALID_REQUEST: &str = "invalid_request_error";
const API: &str = "api_error";

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            kind: INVALID_REQUEST,
            code: None,
            decline_code: None,
            param: None,
            message: message.into().into(),
            objects: None,
            headers: vec![],
        }
    }

    /// The parameter that is wrong and what is wrong with it, for those who read parameters from elsewhere.
    pub fn told(&self) -> (Option<&str>, &str) {
        (self.param.as_deref(), &self.message)
    }

    fn code(self, code: &'static str) -> Refusal {
        Refusal { code: Some(code), ..self }
    }

    fn param(self, param: impl Into<String>) -> Refusal {
        Refusal { param: Some(param.into().into()), ..self }
    }

    fn kind(self, kind: &'static str) -> Refusal {
        Refusal { kind, ..self }
    }

    fn header(mut self, name: HeaderName, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }

    // Parameters.

    /// A parameter is wrong in a way that has no code of its own.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal::new(400, message).param(param)
    }

    /// Parameters that the endpoint does not have in this version.
    pub fn unknown_parameters(names: &[String]) -> Refusal {
        let plural = if names.len() > 1 { "s" } else { "" };
        let shown: Vec<String> = names.iter().take(MAX_SHOWN_NAMES).map(|name| shortened(name)).collect();
        Refusal::new(400, format!("Received unknown parameter{plural}: {}", shown.join(", ")))
            .code("parameter_unknown")
            .param(shown[0].clone())
    }

    /// A parameter that Stripe has and this server has not.
    pub fn unsupported_parameter(name: &str) -> Refusal {
        Refusal::new(
            400,
            format!("This server has no support for the parameter '{name}'. Remove it from your request."),
        )
        .param(name)
    }

    /// A required parameter is not there.
    pub fn missing_parameter(name: &str) -> Refusal {
        Refusal::new(400, format!("Missing required param: {name}.")).code("parameter_missing").param(name)
    }

    /// An empty string for a parameter that cannot be unset.
    pub fn empty(name: &str) -> Refusal {
        Refusal::new(
            400,
            format!(
                "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; \
                 however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty \
                 value."
            ),
        )
        .code("parameter_invalid_empty")
        .param(name)
    }

    /// Something that is no whole number.
    pub fn integer(name: &str, given: &str) -> Refusal {
        Refusal::new(400, format!("Invalid integer: {given}")).code("parameter_invalid_integer").param(name)
    }

    /// A whole number below the least.
    pub fn too_small(name: &str, least: i64) -> Refusal {
        Refusal::new(400, format!("This value must be greater than or equal to {least}."))
            .code("parameter_invalid_integer")
            .param(name)
    }

    /// A whole number above the most.
    pub fn too_large(name: &str, most: i64) -> Refusal {
        Refusal::new(400, format!("This value must be less than or equal to {most}."))
            .code("parameter_invalid_integer")
            .param(name)
    }

    /// Text of more characters than allowed.
    pub fn too_long(name: &str, given: &str, most: usize) -> Refusal {
        let characters: Vec<char> = given.chars().collect();
        let head: String = characters[..10.min(characters.len())].iter().collect();
        let tail: String = characters[characters.len().saturating_sub(10)..].iter().collect();
        Refusal::invalid(name, format!("Invalid string: {head}...{tail}; must be at most {most} characters"))
    }

    /// Secret text of more characters than allowed: it is not repeated.
    pub fn too_long_secret(name: &str, most: usize) -> Refusal {
        Refusal::invalid(name, format!("Invalid string: must be at most {most} characters"))
    }

    /// The newer words for a phone number that is too long.
    pub fn phone_too_long(name: &str, given: &str, most: usize) -> Refusal {
        Refusal::invalid(name, format!("Invalid string length: {given} must be at most {most} characters"))
    }

    /// A value that is none of the allowed ones.
    pub fn choice(name: &str, allowed: &[&str]) -> Refusal {
        let list = match allowed {
            [one] => (*one).to_owned(),
            [one, two] => format!("{one} or {two}"),
            [head @ .., last] => format!("{}, or {last}", head.join(", ")),
            [] => String::new(),
        };
        Refusal::invalid(name, format!("Invalid {name}: must be one of {list}"))
    }

    /// A code with other characters than letters, digits and dashes.
    pub fn code_letters(name: &str, given: &str) -> Refusal {
        let shown: String = given.chars().take(MAX_SHOWN_CHARACTERS).collect();
        Refusal::invalid(
            name,
            format!("Invalid {name}: '{shown}' can only contain letters (a-z, A-Z), digits (0-9), and dashes (-)."),
        )
    }

    /// Of several parameters one has to be there.
    pub fn one_of(names: &[&str]) -> Refusal {
        Refusal::new(400, format!("You must specify one of these parameters: {}.", names.join(", ")))
            .code("parameter_missing")
            .param(names[0])
    }

    /// Something that is no e-mail address.
    pub fn email(name: &str, given: &str) -> Refusal {
        Refusal::new(400, format!("Invalid email address: {given}")).code("email_invalid").param(name)
    }

    /// Something that is no tax id of its kind.
    pub fn tax_id(name: &str, kind: &str) -> Refusal {
        Refusal::new(400, format!("Invalid value for {kind}.")).code("tax_id_invalid").param(name)
    }

    /// Tax ids of somebody who is no customer.
    pub fn tax_id_owner(name: &str) -> Refusal {
        Refusal::invalid(
            name,
            "This server keeps tax IDs of customers only: send `owner[type]=customer` and `owner[customer]`.",
        )
    }

    /// Two parameters of which only one may be given.
    pub fn exclusive(names: &[&str]) -> Refusal {
        Refusal::new(400, format!("You may only specify one of these parameters: {}.", names.join(", ")))
            .code("parameters_exclusive")
    }

    /// A thing named by a parameter does not exist.
    pub fn no_such(noun: &str, id: &str, param: &str) -> Refusal {
        Refusal::new(400, format!("No such {noun}: '{id}'")).code("resource_missing").param(param)
    }

    /// The id of the path is in the body too.
    pub fn repeated_in_url(name: &str) -> Refusal {
        Refusal::new(
            400,
            format!(
                "A parameter provided in the URL ({name}) was repeated as a GET or POST parameter. You can only \
                 provide this information as a portion of the URL."
            ),
        )
        .param(name)
    }

    /// The body or the query string cannot be read.
    pub fn form(error: &FormError) -> Refusal {
        let what = match error.kind {
            FormErrorKind::BadPercent => "has a '%' without two hexadecimal digits after it",
            FormErrorKind::BadUtf8 => "is not valid UTF-8",
            FormErrorKind::NulCharacter => "has a NUL character in it",
            FormErrorKind::NoName => "has no name before its first bracket",
            FormErrorKind::BadBrackets => "has brackets that do not pair",
            FormErrorKind::TooDeep => "is nested too deeply",
            FormErrorKind::TooManyParameters => "is one parameter too many",
            FormErrorKind::ScalarAndHash => "is given both as a value and as a hash or an array",
            FormErrorKind::ListAndHash => "is given both as an array and as a hash",
        };
        let refusal = Refusal::new(400, format!("Invalid request: the parameter '{}' {what}.", error.key));
        if error.key.is_empty() { refusal } else { refusal.param(error.key.clone()) }
    }

    /// Something that cannot be expanded.
    pub fn cannot_expand(path: &str) -> Refusal {
        Refusal::new(400, format!("This property cannot be expanded ({path})."))
    }

    /// Something on a list that can be expanded with `data.` before it.
    pub fn expand_on_list(path: &str) -> Refusal {
        Refusal::new(
            400,
            format!("This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."),
        )
    }

    /// Something that lists do not include.
    pub fn cannot_include(path: &str) -> Refusal {
        Refusal::new(400, format!("This property cannot be included ({path})."))
    }

    /// An expansion that goes too deep.
    pub fn expansion_depth(path: &str) -> Refusal {
        Refusal::new(400, format!("You cannot expand more than 4 levels of a property. Property: {path}"))
            .code("property_expansion_max_depth")
    }

    /// Both cursors at once.
    pub fn both_cursors() -> Refusal {
        Refusal::new(400, "Received both starting_after and ending_before parameters. Please pass in only one.")
    }

    /// A search that cannot be understood.
    pub fn search(message: String) -> Refusal {
        Refusal::new(400, message)
    }

    // The request as a whole.

    /// No such version.
    pub fn unknown_version(name: &str) -> Refusal {
        let shown: String = name.chars().take(50).collect();
        Refusal::new(
            400,
            format!("Invalid Stripe API version: {shown}. This server speaks {}.", super::versions::LISTED.join(", ")),
        )
    }

    /// No such URL.
    pub fn unknown_url(method: &Method, path: &str) -> Refusal {
        Refusal::new(
            404,
            format!(
                "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing \
                 slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in \
                 your code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
            ),
        )
    }

    /// The URL is there, but not with this method.
    pub fn method_not_allowed(method: &Method, path: &str, allowed: &str) -> Refusal {
        Refusal::new(405, format!("The URL {path} does not take {method} requests, only {allowed}."))
            .header(ALLOW, allowed)
    }

    /// A body that is no form.
    pub fn content_type(given: &str) -> Refusal {
        let shown: String = given.chars().take(100).collect();
        Refusal::new(
            415,
            format!(
                "The content type '{shown}' is not understood here. Send parameters as \
                 'application/x-www-form-urlencoded'."
            ),
        )
    }

    /// Too many requests.
    pub fn rate_limit(wait_seconds: u64) -> Refusal {
        Refusal::new(
            429,
            "Request rate limit exceeded. You can learn more about rate limits here \
             https://stripe.com/docs/rate-limits.",
        )
        .code("rate_limit")
        .header(RATE_LIMITED_REASON, "global-rate")
        .header(RETRY_AFTER, wait_seconds.to_string())
    }

    /// A condition on a record that the request itself would make.
    pub fn nothing_to_match() -> Refusal {
        Refusal::new(412, "There is no object yet that If-Match could match.")
    }

    /// Others kept the record busy for too long: docs.stripe.com/rate-limits, "object lock timeouts".
    pub fn lock_timeout() -> Refusal {
        Refusal::new(
            429,
            "This object cannot be accessed right now because another API request or Stripe process is currently \
             accessing it. If you see this error intermittently, retry the request. If you see this error frequently \
             and are making multiple concurrent requests to a single object, make your requests serially or at a \
             lower rate.",
        )
        .code("lock_timeout")
        .header(SHOULD_RETRY, "true")
    }

    // The engine and the shell.

    /// Something that is not there, by its noun.
    fn nowhere(noun: &str, id: &str, named: Named, in_other_mode: bool, test_mode: bool) -> Refusal {
        let hint = match (in_other_mode, test_mode) {
            (false, _) => "",
            (true, true) => {
                "; a similar object exists in live mode, but a test mode key was used to make this request."
            }
            (true, false) => {
                "; a similar object exists in test mode, but a live mode key was used to make this request."
            }
        };
        let Named { param, by_path } = named;
        Refusal::new(if by_path { 404 } else { 400 }, format!("No such {noun}: '{id}'{hint}"))
            .code("resource_missing")
            .param(param)
    }

    /// A verb's refusal.
    pub fn problem(problem: Problem, names: &Names, test_mode: bool) -> Refusal {
        match problem {
            Problem::NoSuchCustomer { id, in_other_mode } => {
                Refusal::nowhere("customer", id.as_str(), names.customer, in_other_mode, test_mode)
            }
            Problem::NoSuchCoupon { id, in_other_mode } => {
                Refusal::nowhere("coupon", id.as_str(), names.coupon, in_other_mode, test_mode)
            }
            Problem::NoSuchPromotionCode { id, in_other_mode } => {
                Refusal::nowhere("promotion code", id.as_str(), names.promotion_code, in_other_mode, test_mode)
            }
            Problem::NoSuchToken { id, in_other_mode } => {
                Refusal::nowhere("token", id.as_str(), names.token, in_other_mode, test_mode)
            }
            Problem::TokenUsed { id } => {
                Refusal::invalid(names.token.param, format!("You cannot use a Stripe token more than once: {id}."))
                    .code("token_already_used")
            }
            Problem::CouponExists => Refusal::invalid("id", "Coupon already exists.").code("resource_already_exists"),
            Problem::CouponExpired { id } => {
                Refusal::invalid(names.coupon.param, format!("Coupon expired: {id}")).code("coupon_expired")
            }
            Problem::PromotionCodeTaken { code } => {
                Refusal::invalid("code", format!("An active promotion code with `code: {code}` already exists."))
            }
            Problem::PromotionCodeSpent { id } => Refusal::invalid(
                "active",
                format!("The promotion code '{id}' expired or has no redemptions left, so it cannot be active."),
            ),
            Problem::PromotionCodeRefused { id: _, why } => {
                // Of the words, those about prior transactions are known, which begin alike.
                let why = match why {
                    CodeRefusal::SwitchedOff => "it is not active",
                    CodeRefusal::Spent => "it has expired or has no redemptions left",
                    CodeRefusal::ForAnother => "it is for another customer",
                };
                let message = format!("This promotion code cannot be redeemed because {why}.");
                Refusal::invalid(names.promotion_code.param, message).code("coupon_expired")
            }
            Problem::NoDiscount(customer) => {
                let message = format!("No active discount for customer: {customer}");
                Refusal::new(404, message).code("resource_missing").param(names.customer.param)
            }
            Problem::DeadlinePassed(deadline) => Refusal::invalid(
                deadline_param(deadline),
                "Invalid timestamp: must be an integer Unix timestamp in the future.",
            ),
            Problem::DeadlineTooFar(deadline) => Refusal::invalid(
                deadline_param(deadline),
                "Invalid timestamp: can be no more than five years in the future.",
            ),
            Problem::ExpiresAfterCoupon { redeem_by } => Refusal::invalid(
                "expires_at",
                format!("This value cannot be after the coupon's `redeem_by`, {}.", redeem_by.seconds()),
            ),
            Problem::MoreRedemptionsThanCoupon { most } => Refusal::invalid(
                "max_redemptions",
                format!("This value cannot be greater than the coupon's `max_redemptions`, {most}."),
            ),
            Problem::SourceNotAttachable => Refusal::source_not_attachable(),
            Problem::SourceSingleUse => Refusal::source_single_use(),
            Problem::SourceAttachedAlready => Refusal::source_attached_already(),
            Problem::SourceSettled { id, status } => Refusal::source_settled(&id, status),
            Problem::SourceWithoutAmount(kind) => Refusal::source_without_amount(kind),
            Problem::NothingReceived => Refusal::missing_parameter("amount"),
            Problem::NotReceiving => Refusal::not_receiving(),
            Problem::NoSuchSource(id) => Refusal::nowhere("source", id.as_str(), names.source, false, test_mode),
            Problem::PaymentMethodNotAttached(id) => Refusal::not_of_customer(&id),
            Problem::NoSuchPaymentMethod(id) => {
                Refusal::nowhere("PaymentMethod", id.as_str(), names.payment_method, false, test_mode)
            }
            Problem::NoSuchSetupIntent { id, in_other_mode } => {
                Refusal::nowhere(SETUP_INTENT, id.as_str(), names.setup_intent, in_other_mode, test_mode)
            }
            Problem::SetupIntentState { intent, wish } => Refusal::setup_state(&intent, wish),
            Problem::TypeNotAllowed { given, allowed } => {
                Refusal::type_not_allowed(names.payment_method, given, &allowed)
            }
            Problem::HeldByOther { method, wanted } => {
                Refusal::held_by_other(names.payment_method, &method, wanted.as_ref())
            }
            Problem::AttachedAlready => Refusal::attached_already(),
            Problem::PaymentMethodSpent => Refusal::payment_method_spent(),
            Problem::NotAttached(id) => Refusal::not_attached(&id),
            Problem::OtherPaymentMethodType { is, given } => Refusal::other_type(given, is),
            Problem::TooManyInstruments => Refusal::too_many_instruments(),
            Problem::OtherSource { wanted } => Refusal::other_source(names.source.param, wanted),
            Problem::BankAccountExists => Refusal::bank_account_exists(),
            Problem::AlreadyVerified => Refusal::new(400, "This bank account has already been verified."),
            Problem::CannotBeVerified => Refusal::cannot_be_verified(),
            Problem::NoSuchBalanceTransaction(id) => {
                Refusal { status: 404, ..Refusal::no_such("customer_balance_transaction", id.as_str(), "id") }
            }
            Problem::NoSuchCashTransaction(id) => {
                Refusal { status: 404, ..Refusal::no_such(CASH_TRANSACTION, id.as_str(), "id") }
            }
            Problem::CashOutOfRange => Refusal::cash_out_of_range(),
            Problem::CashHeld => Refusal::cash_held(),
            // None of the verbs that are run here has one.
            Problem::NoSuchCustomerAddress(_)
            | Problem::NoSuchBusiness(_)
            | Problem::TooManyOfCustomer { .. }
            | Problem::EmailTaken
            | Problem::Rental(_)
            | Problem::Catalogue(_) => Refusal::broken(),
            Problem::NoSuchTaxId(id) => Refusal { status: 404, ..Refusal::no_such("tax_id", id.as_str(), "id") },
            Problem::TooManyTaxIds => Refusal::new(
                400,
                format!("A customer can have at most {MAX_TAX_IDS} tax IDs. Delete one to add another."),
            ),
            Problem::NoSuchEvent(id) => Refusal { status: 404, ..Refusal::no_such("notification", id.as_str(), "id") },
            Problem::NoSuchWebhookEndpoint(id) => {
                Refusal::nowhere("webhook endpoint", id.as_str(), names.webhook_endpoint, false, test_mode)
            }
            Problem::TooManyWebhookEndpoints => Refusal::too_many_webhook_endpoints(),
            Problem::TooManySecrets(id) => Refusal::too_many_secrets(id.as_str()),
            Problem::WebhookEndpointDisabled(id) => Refusal::webhook_endpoint_disabled(id.as_str()),
            Problem::NoSuchDelivery(id) => {
                Refusal { status: 404, ..Refusal::no_such("webhook_delivery", id.as_str(), "id") }
            }
            Problem::NoSuchSnapshot(id) => Refusal { status: 404, ..Refusal::no_such("snapshot", id.as_str(), "id") },
            Problem::TooManySnapshots => Refusal::new(
                400,
                format!("A sandbox can have at most {MAX_SNAPSHOTS} snapshots. Delete one to take another."),
            ),
            Problem::VersionMismatch { current } => Refusal::new(
                412,
                format!(
                    "The object has changed since you read it: its ETag is now \"{current}\". Read it again before you \
                     change it."
                ),
            ),
            Problem::TooManyMetadataKeys { count } => {
                Refusal::invalid("metadata", format!("Metadata can have up to 50 keys, but you've set {count}."))
            }
            Problem::InvoicePrefixTaken { prefix } => Refusal::taken_invoice_prefix(&prefix),
            Problem::Declined(decline) => Refusal::declined(decline, names.bank_account),
            Problem::ExpiryOver(fault) => Refusal::declined(fault.into(), names.bank_account),
            Problem::TaxLocationUnknown => Refusal::invalid(
                "tax[validate_location]",
                "The customer's location isn't recognized. Set a valid customer address in order to automatically \
                 calculate tax.",
            )
            .code("customer_tax_location_invalid"),
            Problem::CurrencyMismatch { customer, given: _ } => Refusal::invalid(
                names.currency,
                format!(
                    "You cannot combine currencies on a single customer. This customer has an active subscription, \
                     subscription schedule, discount, quote, or invoice item with currency {customer}"
                ),
            ),
            Problem::BalanceOutOfRange(wish) => {
                let param = match wish {
                    BalanceWish::Set => "balance",
                    BalanceWish::Move => "amount",
                };
                Refusal::invalid(param, "The customer's balance would be out of range.")
            }
        }
    }

    /// What kept a verb from being done; a failure of ours is logged here, where it is answered.
    pub fn stop(stop: Stop, request: &str, names: &Names, test_mode: bool) -> Refusal {
        match stop {
            Stop::Problem(problem) => Refusal::problem(problem, names, test_mode),
            Stop::Failure(failure) => {
                tracing::error!(request, "{failure}");
                match failure.outlook {
                    Outlook::Broken => Refusal::broken(),
                    Outlook::Passing => {
                        Refusal::new(503, "The server cannot keep changes right now. Please try again later.")
                            .kind(API)
                            .header(SHOULD_RETRY, "true")
                    }
                    Outlook::Contended => Refusal::lock_timeout(),
                }
            }
        }
    }

    /// The processor does not answer: nothing was changed, and the same request asks it the same thing again.
    pub fn processor_away() -> Refusal {
        Refusal::new(503, "The payment processor does not answer right now. Please try again later.")
            .kind(API)
            .header(SHOULD_RETRY, "true")
    }

    /// A failure that a test suite asked for.
    pub fn api_error() -> Refusal {
        Refusal::new(500, "An unknown error occurred").kind(API)
    }

    /// A promise of ours was broken.
    pub fn broken() -> Refusal {
        Refusal::new(500, "An unexpected error occurred on the server. Its cause is in the server's log.").kind(API)
    }

    /// The shell's trouble.
    pub fn trouble(trouble: Trouble) -> Refusal {
        match trouble {
            Trouble::BodyTooLarge(most) => {
                Refusal::new(413, format!("The request's body is too large: at most {most} bytes are taken."))
            }
            Trouble::BodyTooSlow => Refusal::new(408, "The request's body did not arrive in time."),
            Trouble::BodyBroken => Refusal::new(400, "The request's body broke off."),
            Trouble::TooLong => Refusal::new(
                503,
                "The server could not answer in time. Whether the change was made is not known: try again with the same \
                 idempotency key.",
            )
            .kind(API),
            Trouble::Broken => Refusal::broken(),
        }
    }

    fn error(&self) -> Object {
        let mut error = self.objects.as_deref().cloned().unwrap_or_default();
        if let Some(code) = self.code {
            error.add("code", code);
            self.decline_code.into_iter().for_each(|code| error.add("decline_code", code));
            error.add("doc_url", format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        }
        // Whoever sends a card's number in a place where none belongs does not get it back, nor does the log of a client.
        error.add("message", without_card_numbers(&self.message));
        if let Some(param) = &self.param {
            error.add("param", without_card_numbers(param));
        }
        error.add("type", self.kind);
        error.sort_from(0);
        error
    }

    /// The reply.
    pub fn reply(self) -> Reply {
        let error = self.error();
        let body = crate::http::json::Json::from(Object::new().and("error", error)).to_bytes();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.headers.into_iter().fold(Reply::new(status, body), |reply, (name, value)| reply.with(name, &value))
    }
}

fn deadline_param(deadline: Deadline) -> &'static str {
    match deadline {
        Deadline::RedeemBy => "redeem_by",
        Deadline::ExpiresAt => "expires_at",
    }
}

/// The most names, and the most characters of each, that a refusal repeats.
const MAX_SHOWN_NAMES: usize = 20;
const MAX_SHOWN_CHARACTERS: usize = 200;

fn shortened(name: &str) -> String {
    name.chars().take(MAX_SHOWN_CHARACTERS).collect()
}
