//! What happened to a record. Events are the history: one row per change, in commit order, with before and after.

use super::customer::Customer;
use super::facts::Facts;
use super::holding::Holding;
use super::ids::{CustomerId, EventId, RequestId};
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
pub struct EventKind(pub Subject, pub Change);

impl EventKind {
    /// Every kind that happens.
    pub const ALL: &[EventKind] = &[
        EventKind(Subject::Customer, Change::Created),
        EventKind(Subject::Customer, Change::Updated),
        EventKind(Subject::Customer, Change::Deleted),
        EventKind(Subject::Coupon, Change::Created),
        EventKind(Subject::Coupon, Change::Updated),
        EventKind(Subject::Coupon, Change::Deleted),
        EventKind(Subject::PromotionCode, Change::Created),
        EventKind(Subject::PromotionCode, Change::Updated),
        EventKind(Subject::Source, Change::Created),
        EventKind(Subject::Source, Change::Updated),
        EventKind(Subject::Source, Change::Deleted),
        EventKind(Subject::PaymentMethod, Change::Created),
        EventKind(Subject::PaymentMethod, Change::Updated),
        EventKind(Subject::PaymentMethod, Change::Deleted),
        EventKind(Subject::Discount, Change::Created),
        EventKind(Subject::Discount, Change::Updated),
        EventKind(Subject::Discount, Change::Deleted),
        EventKind(Subject::CashTransaction, Change::Created),
        EventKind(Subject::CashBalance, Change::Updated),
        EventKind(Subject::TaxId, Change::Created),
        EventKind(Subject::TaxId, Change::Updated),
        EventKind(Subject::TaxId, Change::Deleted),
        EventKind(Subject::ChargeableSource, Change::Updated),
        EventKind(Subject::FailedSource, Change::Updated),
        EventKind(Subject::CanceledSource, Change::Updated),
    ];

    /// The kind's dotted name, which is also how it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind(Subject::Customer, Change::Created) => "customer.created",
            EventKind(Subject::Customer, Change::Updated) => "customer.updated",
            EventKind(Subject::Customer, Change::Deleted) => "customer.deleted",
            EventKind(Subject::Coupon, Change::Created) => "coupon.created",
            EventKind(Subject::Coupon, Change::Updated) => "coupon.updated",
            EventKind(Subject::Coupon, Change::Deleted) => "coupon.deleted",
            EventKind(Subject::PromotionCode, Change::Created) => "promotion_code.created",
            EventKind(Subject::PromotionCode, Change::Updated) => "promotion_code.updated",
            EventKind(Subject::PromotionCode, Change::Deleted) => "promotion_code.deleted",
            EventKind(Subject::Source, Change::Created) => "customer.source.created",
            EventKind(Subject::Source, Change::Updated) => "customer.source.updated",
            EventKind(Subject::Source, Change::Deleted) => "customer.source.deleted",
            EventKind(Subject::PaymentMethod, Change::Created) => "payment_method.attached",
            EventKind(Subject::PaymentMethod, Change::Updated) => "payment_method.updated",
            EventKind(Subject::PaymentMethod, Change::Deleted) => "payment_method.detached",
            EventKind(Subject::Discount, Change::Created) => "customer.discount.created",
            EventKind(Subject::Discount, Change::Updated) => "customer.discount.updated",
            EventKind(Subject::Discount, Change::Deleted) => "customer.discount.deleted",
            EventKind(Subject::CashTransaction, Change::Created) => "customer_cash_balance_transaction.created",
            EventKind(Subject::CashTransaction, Change::Updated) => "customer_cash_balance_transaction.updated",
            EventKind(Subject::CashTransaction, Change::Deleted) => "customer_cash_balance_transaction.deleted",
            // There is one with every customer, so it only changes; all that is told of it is that money arrived.
            EventKind(Subject::CashBalance, Change::Created | Change::Updated | Change::Deleted) => {
                "cash_balance.funds_available"
            }
            // All that is told of a source that nobody holds is how the wait for it ended.
            EventKind(Subject::ChargeableSource, Change::Created | Change::Updated | Change::Deleted) => {
                "source.chargeable"
            }
            EventKind(Subject::FailedSource, Change::Created | Change::Updated | Change::Deleted) => "source.failed",
            EventKind(Subject::CanceledSource, Change::Created | Change::Updated | Change::Deleted) => {
                "source.canceled"
            }
            EventKind(Subject::Token, Change::Created) => "token.created",
            EventKind(Subject::Token, Change::Updated) => "token.updated",
            EventKind(Subject::Token, Change::Deleted) => "token.deleted",
            EventKind(Subject::TaxId, Change::Created) => "customer.tax_id.created",
            EventKind(Subject::TaxId, Change::Updated) => "customer.tax_id.updated",
            EventKind(Subject::TaxId, Change::Deleted) => "customer.tax_id.deleted",
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
            Happening::CustomerCreated { .. } => EventKind(Subject::Customer, Change::Created),
            Happening::CustomerUpdated { .. } => EventKind(Subject::Customer, Change::Updated),
            Happening::CustomerDeleted { .. } => EventKind(Subject::Customer, Change::Deleted),
            Happening::Holding { subject, change, .. } => EventKind(*subject, change.change()),
            Happening::Object { change, .. } => EventKind(Subject::of(change.state()), change.change()),
            Happening::SourceSettled { outcome, .. } => {
                let subject = match outcome {
                    Outcome::Chargeable => Subject::ChargeableSource,
                    Outcome::Failed => Subject::FailedSource,
                    Outcome::Canceled => Subject::CanceledSource,
                };
                EventKind(subject, Change::Updated)
            }
            Happening::CashArrived { .. } => EventKind(Subject::CashBalance, Change::Updated),
        }
    }

    /// The id of the record that changed.
    pub fn object(&self) -> &str {
        match self {
            Happening::CustomerCreated { after, .. } | Happening::CustomerUpdated { after, .. } => after.id.as_str(),
            Happening::CustomerDeleted { before, .. } => before.id.as_str(),
            Happening::Holding { change, .. } => change.state().id(),
            Happening::Object { change, .. } => change.state().id(),
            Happening::SourceSettled { source, .. } => source.id.as_str(),
            Happening::CashArrived { customer } => customer.id.as_str(),
        }
    }
}

impl Subject {
    fn of(facts: &Facts) -> Subject {
        match facts {
            Facts::Coupon(_) => Subject::Coupon,
            Facts::PromotionCode(_) => Subject::PromotionCode,
            Facts::CashTransaction(_) => Subject::CashTransaction,
            Facts::PaymentMethod(_) => Subject::PaymentMethod,
            Facts::Source(_) => Subject::Source,
            Facts::Token(_) => Subject::Token,
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
