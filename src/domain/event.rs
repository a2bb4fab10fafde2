//! What happened to a record. Events are the history: one row per change, in commit order, with before and after.

use super::customer::Customer;
use super::facts::Facts;
use super::holding::Holding;
use super::ids::{CustomerId, EventId, RequestId};
use super::setup_intent::{SetupIntent, SetupStep};
use super::source::{Outcome, Source};
use super::time::Time;
use super::words::words;

/// A change of a record, with what it needs to be told in any dialect.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A customer came into being.
    CustomerCreated {
        /// As it was made.
        after: Box<Customer>,
        /// The coupon of its discount as it was then, without which it cannot be told.
        beside: Vec<Facts>,
    },
    /// A customer changed.
    CustomerUpdated {
        /// As it was.
        before: Box<Customer>,
        /// As it is.
        after: Box<Customer>,
        /// The coupons of the discounts that it had and has, as they were then, each once.
        beside: Vec<Facts>,
    },
    /// A customer was deleted.
    CustomerDeleted {
        /// Its last full state.
        before: Box<Customer>,
        /// The coupon of its discount as it was then.
        beside: Vec<Facts>,
    },
    /// Something that a customer holds changed. The change of the customer itself is told beside it.
    Holding {
        /// Whose.
        customer: CustomerId,
        /// As what it is told of: a card is a source and a payment method.
        subject: Subject,
        /// What became of it.
        change: ObjectChange<Holding>,
    },
    /// An object changed.
    Object {
        /// What became of it.
        change: ObjectChange,
        /// Other objects as they were then, without which it cannot be told: the coupon of a promotion code.
        beside: Vec<Facts>,
    },
    /// A setup intent came a step further. Other changes of it are not told.
    Setup {
        /// How far.
        step: SetupStep,
        /// As it is.
        intent: Box<SetupIntent>,
    },
    /// The wait for a source ended.
    SourceSettled {
        /// How.
        outcome: Outcome,
        /// As it is now.
        source: Box<Source>,
        /// Who holds it.
        customer: Option<CustomerId>,
    },
    /// Money arrived in a customer's cash balance.
    CashArrived {
        /// The customer who has it now.
        customer: Box<Customer>,
    },
}

/// A change of an object, or of what a customer holds.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectChange<T = Facts> {
    /// It came into being, as this; a customer holds it now.
    Created(T),
    /// It changed.
    Updated {
        /// As it was.
        before: T,
        /// As it is.
        after: T,
    },
    /// It was deleted, or is no longer held; this is its last full state.
    Deleted(T),
}

impl<T> ObjectChange<T> {
    /// What became of it.
    pub fn change(&self) -> Change {
        match self {
            ObjectChange::Created(_) => Change::Created,
            ObjectChange::Updated { .. } => Change::Updated,
            ObjectChange::Deleted(_) => Change::Deleted,
        }
    }

    /// The same change of what is made of each state.
    pub fn map<U>(self, make: fn(T) -> U) -> ObjectChange<U> {
        match self {
            ObjectChange::Created(state) => ObjectChange::Created(make(state)),
            ObjectChange::Updated { before, after } => {
                ObjectChange::Updated { before: make(before), after: make(after) }
            }
            ObjectChange::Deleted(state) => ObjectChange::Deleted(make(state)),
        }
    }

    /// Its last known state.
    pub fn state(&self) -> &T {
        match self {
            ObjectChange::Created(state)
            | ObjectChange::Updated { after: state, .. }
            | ObjectChange::Deleted(state) => state,
        }
    }
}

words! {
    /// What a happening is about.
    pub enum Subject {
        /// A customer.
        Customer = "customer",
        /// A coupon.
        Coupon = "coupon",
        /// A promotion code.
        PromotionCode = "promotion_code",
        /// A source of a customer.
        Source = "source",
        /// A payment method of a customer.
        PaymentMethod = "payment_method",
        /// A discount of a customer.
        Discount = "discount",
        /// A movement of a customer's cash balance.
        CashTransaction = "cash_transaction",
        /// A customer's cash balance.
        CashBalance = "cash_balance",
        /// A source that can be charged by now.
        ChargeableSource = "chargeable_source",
        /// A source whose owner did not agree.
        FailedSource = "failed_source",
        /// A source that nobody charged in time.
        CanceledSource = "canceled_source",
        /// A token, of which nothing is told.
        Token = "token",
        /// A tax id of a customer.
        TaxId = "tax_id",
        /// A setup intent.
        SetupIntent = "setup_intent",
        /// An attempt of a setup intent, of which nothing is told.
        SetupAttempt = "setup_attempt",
        /// A webhook endpoint.
        WebhookEndpoint = "webhook_endpoint",
        /// An address of a customer.
        CustomerAddress = "customer_address",
        /// A business of a customer.
        Business = "business",
        /// A product of a catalogue.
        Product = "product",
        /// A variant of a product.
        Variant = "variant",
        /// An asset.
        Asset = "asset",
        /// An order.
        Order = "order",
        /// A customer's rental book, of which nothing is told.
        RentalBook = "rental_book",
        /// A rental.
        Rental = "rental",
        /// A payment for a rental or a billing group.
        RentalPayment = "rental_payment",
        /// A billing group.
        BillingGroup = "billing_group",
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It came into being.
    Created,
    /// It changed.
    Updated,
    /// It was deleted.
    Deleted,
}

/// The kinds of happening, as lists filter by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Something changed.
    Change(Subject, Change),
    /// A setup intent came so far.
    Setup(SetupStep),
}

impl EventKind {
    /// Every kind that happens.
    pub const ALL: &[EventKind] = &[
        EventKind::Change(Subject::Customer, Change::Created),
        EventKind::Change(Subject::Customer, Change::Updated),
        EventKind::Change(Subject::Customer, Change::Deleted),
        EventKind::Change(Subject::Coupon, Change::Created),
        EventKind::Change(Subject::Coupon, Change::Updated),
        EventKind::Change(Subject::Coupon, Change::Deleted),
        EventKind::Change(Subject::PromotionCode, Change::Created),
        EventKind::Change(Subject::PromotionCode, Change::Updated),
        EventKind::Change(Subject::Source, Change::Created),
        EventKind::Change(Subject::Source, Change::Updated),
        EventKind::Change(Subject::Source, Change::Deleted),
        EventKind::Change(Subject::PaymentMethod, Change::Created),
        EventKind::Change(Subject::PaymentMethod, Change::Updated),
        EventKind::Change(Subject::PaymentMethod, Change::Deleted),
        EventKind::Change(Subject::Discount, Change::Created),
        EventKind::Change(Subject::Discount, Change::Updated),
        EventKind::Change(Subject::Discount, Change::Deleted),
        EventKind::Change(Subject::CashTransaction, Change::Created),
        EventKind::Change(Subject::CashBalance, Change::Updated),
        EventKind::Change(Subject::TaxId, Change::Created),
        EventKind::Change(Subject::TaxId, Change::Updated),
        EventKind::Change(Subject::TaxId, Change::Deleted),
        EventKind::Change(Subject::SetupIntent, Change::Created),
        EventKind::Setup(SetupStep::RequiresAction),
        EventKind::Setup(SetupStep::Failed),
        EventKind::Setup(SetupStep::Succeeded),
        EventKind::Setup(SetupStep::Canceled),
        EventKind::Change(Subject::ChargeableSource, Change::Updated),
        EventKind::Change(Subject::FailedSource, Change::Updated),
        EventKind::Change(Subject::CanceledSource, Change::Updated),
        EventKind::Change(Subject::WebhookEndpoint, Change::Updated),
        EventKind::Change(Subject::Product, Change::Created),
        EventKind::Change(Subject::Product, Change::Updated),
        EventKind::Change(Subject::Variant, Change::Created),
        EventKind::Change(Subject::Variant, Change::Updated),
        EventKind::Change(Subject::Asset, Change::Created),
        EventKind::Change(Subject::Asset, Change::Updated),
        EventKind::Change(Subject::CustomerAddress, Change::Created),
        EventKind::Change(Subject::CustomerAddress, Change::Updated),
        EventKind::Change(Subject::Business, Change::Created),
        EventKind::Change(Subject::Business, Change::Updated),
        EventKind::Change(Subject::Order, Change::Created),
        EventKind::Change(Subject::Order, Change::Updated),
        EventKind::Change(Subject::Rental, Change::Created),
        EventKind::Change(Subject::Rental, Change::Updated),
        EventKind::Change(Subject::RentalPayment, Change::Created),
        EventKind::Change(Subject::RentalPayment, Change::Updated),
        EventKind::Change(Subject::BillingGroup, Change::Created),
        EventKind::Change(Subject::BillingGroup, Change::Updated),
        EventKind::Change(Subject::BillingGroup, Change::Deleted),
    ];

    /// The kind's dotted name, which is also how it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Change(Subject::Customer, Change::Created) => "customer.created",
            EventKind::Change(Subject::Customer, Change::Updated) => "customer.updated",
            EventKind::Change(Subject::Customer, Change::Deleted) => "customer.deleted",
            EventKind::Change(Subject::Coupon, Change::Created) => "coupon.created",
            EventKind::Change(Subject::Coupon, Change::Updated) => "coupon.updated",
            EventKind::Change(Subject::Coupon, Change::Deleted) => "coupon.deleted",
            EventKind::Change(Subject::PromotionCode, Change::Created) => "promotion_code.created",
            EventKind::Change(Subject::PromotionCode, Change::Updated) => "promotion_code.updated",
            EventKind::Change(Subject::PromotionCode, Change::Deleted) => "promotion_code.deleted",
            EventKind::Change(Subject::Source, Change::Created) => "customer.source.created",
            EventKind::Change(Subject::Source, Change::Updated) => "customer.source.updated",
            EventKind::Change(Subject::Source, Change::Deleted) => "customer.source.deleted",
            EventKind::Change(Subject::PaymentMethod, Change::Created) => "payment_method.attached",
            EventKind::Change(Subject::PaymentMethod, Change::Updated) => "payment_method.updated",
            EventKind::Change(Subject::PaymentMethod, Change::Deleted) => "payment_method.detached",
            EventKind::Change(Subject::Discount, Change::Created) => "customer.discount.created",
            EventKind::Change(Subject::Discount, Change::Updated) => "customer.discount.updated",
            EventKind::Change(Subject::Discount, Change::Deleted) => "customer.discount.deleted",
            EventKind::Change(Subject::CashTransaction, Change::Created) => "customer_cash_balance_transaction.created",
            EventKind::Change(Subject::CashTransaction, Change::Updated) => "customer_cash_balance_transaction.updated",
            EventKind::Change(Subject::CashTransaction, Change::Deleted) => "customer_cash_balance_transaction.deleted",
            // There is one with every customer, so it only changes; all that is told of it is that money arrived.
            EventKind::Change(Subject::CashBalance, Change::Created | Change::Updated | Change::Deleted) => {
                "cash_balance.funds_available"
            }
            // All that is told of a source that nobody holds is how the wait for it ended.
            EventKind::Change(Subject::ChargeableSource, Change::Created | Change::Updated | Change::Deleted) => {
                "source.chargeable"
            }
            EventKind::Change(Subject::FailedSource, Change::Created | Change::Updated | Change::Deleted) => {
                "source.failed"
            }
            EventKind::Change(Subject::CanceledSource, Change::Created | Change::Updated | Change::Deleted) => {
                "source.canceled"
            }
            EventKind::Change(Subject::Token, Change::Created) => "token.created",
            EventKind::Change(Subject::Token, Change::Updated) => "token.updated",
            EventKind::Change(Subject::Token, Change::Deleted) => "token.deleted",
            EventKind::Change(Subject::TaxId, Change::Created) => "customer.tax_id.created",
            EventKind::Change(Subject::TaxId, Change::Updated) => "customer.tax_id.updated",
            EventKind::Change(Subject::TaxId, Change::Deleted) => "customer.tax_id.deleted",
            EventKind::Change(Subject::SetupIntent, Change::Created) => "setup_intent.created",
            EventKind::Change(Subject::SetupIntent, Change::Updated) => "setup_intent.updated",
            EventKind::Change(Subject::SetupIntent, Change::Deleted) => "setup_intent.deleted",
            EventKind::Change(Subject::SetupAttempt, Change::Created) => "setup_attempt.created",
            EventKind::Change(Subject::SetupAttempt, Change::Updated) => "setup_attempt.updated",
            EventKind::Change(Subject::SetupAttempt, Change::Deleted) => "setup_attempt.deleted",
            // All that is told of an endpoint is that it was disabled because it does not answer. The type is our own.
            EventKind::Change(Subject::WebhookEndpoint, Change::Created | Change::Updated | Change::Deleted) => {
                "webhook_endpoint.disabled"
            }
            EventKind::Change(Subject::Product, Change::Created) => "product.created",
            EventKind::Change(Subject::Product, Change::Updated) => "product.updated",
            EventKind::Change(Subject::Product, Change::Deleted) => "product.deleted",
            EventKind::Change(Subject::Variant, Change::Created) => "variant.created",
            EventKind::Change(Subject::Variant, Change::Updated) => "variant.updated",
            EventKind::Change(Subject::Variant, Change::Deleted) => "variant.deleted",
            EventKind::Change(Subject::Asset, Change::Created) => "asset.created",
            EventKind::Change(Subject::Asset, Change::Updated) => "asset.updated",
            EventKind::Change(Subject::Asset, Change::Deleted) => "asset.deleted",
            // Jani's names: an address by itself is one of a customer.
            EventKind::Change(Subject::CustomerAddress, Change::Created) => "address.created",
            EventKind::Change(Subject::CustomerAddress, Change::Updated) => "address.updated",
            EventKind::Change(Subject::CustomerAddress, Change::Deleted) => "address.deleted",
            EventKind::Change(Subject::Business, Change::Created) => "business.created",
            EventKind::Change(Subject::Business, Change::Updated) => "business.updated",
            EventKind::Change(Subject::Business, Change::Deleted) => "business.deleted",
            EventKind::Change(Subject::Order, Change::Created) => "order.created",
            EventKind::Change(Subject::Order, Change::Updated) => "order.updated",
            EventKind::Change(Subject::Order, Change::Deleted) => "order.deleted",
            EventKind::Change(Subject::RentalBook, Change::Created) => "rental_book.created",
            EventKind::Change(Subject::RentalBook, Change::Updated) => "rental_book.updated",
            EventKind::Change(Subject::RentalBook, Change::Deleted) => "rental_book.deleted",
            EventKind::Change(Subject::Rental, Change::Created) => "rental.created",
            EventKind::Change(Subject::Rental, Change::Updated) => "rental.updated",
            EventKind::Change(Subject::Rental, Change::Deleted) => "rental.deleted",
            EventKind::Change(Subject::RentalPayment, Change::Created) => "rental_payment.created",
            EventKind::Change(Subject::RentalPayment, Change::Updated) => "rental_payment.updated",
            EventKind::Change(Subject::RentalPayment, Change::Deleted) => "rental_payment.deleted",
            EventKind::Change(Subject::BillingGroup, Change::Created) => "billing_group.created",
            EventKind::Change(Subject::BillingGroup, Change::Updated) => "billing_group.updated",
            EventKind::Change(Subject::BillingGroup, Change::Deleted) => "billing_group.deleted",
            EventKind::Setup(step) => step.as_str(),
        }
    }

    /// Whether Stripe's API has words for it. What it has none for is neither in its list of events nor sent to its webhook
    /// endpoints, also where a kind of Stripe's has the same name: its `product` is another thing.
    pub fn is_stripes(self) -> bool {
        match self {
            EventKind::Setup(_) => true,
            EventKind::Change(subject, _) => subject.is_stripes(),
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl Happening {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Happening::CustomerCreated { .. } => EventKind::Change(Subject::Customer, Change::Created),
            Happening::CustomerUpdated { .. } => EventKind::Change(Subject::Customer, Change::Updated),
            Happening::CustomerDeleted { .. } => EventKind::Change(Subject::Customer, Change::Deleted),
            Happening::Holding { subject, change, .. } => EventKind::Change(*subject, change.change()),
            Happening::Object { change, .. } => EventKind::Change(Subject::of(change.state()), change.change()),
            Happening::Setup { step, .. } => EventKind::Setup(*step),
            Happening::CashArrived { .. } => EventKind::Change(Subject::CashBalance, Change::Updated),
            Happening::SourceSettled { outcome, .. } => {
                let subject = match outcome {
                    Outcome::Chargeable => Subject::ChargeableSource,
                    Outcome::Failed => Subject::FailedSource,
                    Outcome::Canceled => Subject::CanceledSource,
                };
                EventKind::Change(subject, Change::Updated)
            }
        }
    }

    /// The customer that it is about, if it is about one.
    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Happening::CustomerCreated { after: customer, .. }
            | Happening::CustomerUpdated { after: customer, .. }
            | Happening::CustomerDeleted { before: customer, .. }
            | Happening::CashArrived { customer } => Some(&customer.id),
            Happening::Holding { customer, .. } => Some(customer),
            Happening::Object { change, .. } => change.state().customer(),
            Happening::Setup { intent, .. } => intent.customer.as_ref(),
            Happening::SourceSettled { customer, .. } => customer.as_ref(),
        }
    }

    /// Whom it is about: the customer if there is one, or else the record that changed.
    pub fn about(&self) -> &str {
        self.customer().map_or(self.object(), CustomerId::as_str)
    }

    /// The id of the record that changed.
    pub fn object(&self) -> &str {
        match self {
            Happening::CustomerCreated { after, .. } | Happening::CustomerUpdated { after, .. } => after.id.as_str(),
            Happening::CustomerDeleted { before, .. } => before.id.as_str(),
            Happening::Holding { change, .. } => change.state().id(),
            Happening::Object { change, .. } => change.state().id(),
            Happening::Setup { intent, .. } => intent.id.as_str(),
            Happening::SourceSettled { source, .. } => source.id.as_str(),
            Happening::CashArrived { customer } => customer.id.as_str(),
        }
    }
}

impl Subject {
    /// Whether Stripe's API has words for it.
    fn is_stripes(self) -> bool {
        match self {
            Subject::Customer
            | Subject::Coupon
            | Subject::PromotionCode
            | Subject::Source
            | Subject::PaymentMethod
            | Subject::Discount
            | Subject::CashTransaction
            | Subject::CashBalance
            | Subject::ChargeableSource
            | Subject::FailedSource
            | Subject::CanceledSource
            | Subject::Token
            | Subject::TaxId
            | Subject::SetupIntent
            | Subject::SetupAttempt
            // A type of our own, for receivers who listen through Stripe's API.
            | Subject::WebhookEndpoint => true,
            Subject::Product
            | Subject::Variant
            | Subject::Asset
            | Subject::Order
            | Subject::RentalBook
            | Subject::Rental
            | Subject::RentalPayment
            | Subject::BillingGroup
            | Subject::CustomerAddress
            | Subject::Business => false,
        }
    }

    fn of(facts: &Facts) -> Subject {
        match facts {
            Facts::Coupon(_) => Subject::Coupon,
            Facts::PromotionCode(_) => Subject::PromotionCode,
            Facts::CashTransaction(_) => Subject::CashTransaction,
            Facts::PaymentMethod(_) => Subject::PaymentMethod,
            Facts::Source(_) => Subject::Source,
            Facts::Token(_) => Subject::Token,
            Facts::SetupIntent(_) => Subject::SetupIntent,
            Facts::SetupAttempt(_) => Subject::SetupAttempt,
            Facts::WebhookEndpoint(_) => Subject::WebhookEndpoint,
            Facts::Product(_) => Subject::Product,
            Facts::Variant(_) => Subject::Variant,
            Facts::Asset(_) => Subject::Asset,
            Facts::Order(_) => Subject::Order,
            Facts::CustomerAddress(_) => Subject::CustomerAddress,
            Facts::Business(_) => Subject::Business,
            Facts::RentalBook(_) => Subject::RentalBook,
            Facts::Rental(_) => Subject::Rental,
            Facts::RentalPayment(_) => Subject::RentalPayment,
            Facts::BillingGroup(_) => Subject::BillingGroup,
        }
    }
}

/// Which request made it happen; empty when a process of ours did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The request's id.
    pub request: Option<RequestId>,
    /// The idempotency key that came with it.
    pub idempotency_key: Option<String>,
}

/// A happening on the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the account's history: 1, 2, 3, …
    pub sequence: i64,
    /// Its id.
    pub id: EventId,
    /// When it was committed.
    pub created: Time,
    /// What asked for it.
    pub cause: Cause,
    /// What happened.
    pub what: Happening,
}
