//! Rentals: one device that a customer has for a contract's time and pays by the month. FlexPortal calls them subscriptions.
//! A rental keeps what the customer, the product and the prices were when it began. It makes no payments itself.

use std::collections::BTreeSet;

use super::ids::{BillingGroupId, CustomerId, OrderId, ProductId, RentalId, SerialNumber, Sku, VariantId};
use super::money::Currency;
use super::order::MAX_CONTRACT_MONTHS;
use super::period::{Period, day_of, days_between, rounded};
use super::rental_problem::RentalProblem;
use super::time::Time;
use super::words::words;

/// The longest note, in characters.
pub const MAX_NOTES: usize = 5_000;
/// The longest note beside a cancellation, in characters.
pub const MAX_CANCELLATION_NOTES: usize = 1_000;
/// The longest reason or assessment, in characters.
pub const MAX_REASON: usize = 5_000;
/// The most replacements of a rental's device.
pub const MAX_REPLACEMENTS: usize = 100;

words! {
    /// Whether a rental goes on, or how it ended.
    pub enum RentalStatus {
        /// It goes on.
        Active = "active",
        /// It was given up by the business unit.
        Cancelled = "cancelled",
        /// The device came back when the contract was over.
        Completed = "ended_completed",
        /// The customer bought the device.
        Buyout = "ended_buyout",
        /// The customer has another device in its place.
        Upgrade = "ended_upgrade",
        /// The device came back before the contract was over.
        EarlyReturn = "ended_early_return",
    }
}

words! {
    /// Where a price comes from.
    pub enum PriceSource {
        /// The variant's own.
        Variant = "variant",
        /// Noted with the device.
        Manual = "manual",
        /// The order's.
        OrderOverride = "order_override",
    }
}

/// A price as it was when the rental began, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedPrice {
    /// So much.
    pub amount: i64,
    /// Where it comes from.
    pub source: PriceSource,
    /// When it was taken over.
    pub captured: Time,
}

words! {
    /// Why a device is replaced.
    pub enum ReplacementReason {
        /// It was damaged.
        Damaged = "damaged",
        /// It was stolen.
        Stolen = "stolen",
        /// It does not work.
        Defective = "defective",
        /// It was lost.
        Lost = "lost",
    }
}

impl ReplacementReason {
    /// Whether the device that is replaced comes back.
    pub fn comes_back(self) -> bool {
        match self {
            ReplacementReason::Damaged | ReplacementReason::Defective => true,
            ReplacementReason::Stolen | ReplacementReason::Lost => false,
        }
    }
}

words! {
    /// Why a device is bought.
    pub enum BuyoutReason {
        /// The customer wants it.
        CustomerRequest = "customer_request",
        /// The contract is over.
        EndOfContract = "end_of_contract",
        /// Something else.
        Other = "other",
    }
}

words! {
    /// In which condition a device comes back.
    pub enum ReturnCondition {
        /// As new.
        Excellent = "excellent",
        /// Little used.
        Good = "good",
        /// Used.
        Fair = "fair",
        /// Much used.
        Poor = "poor",
        /// Broken.
        Damaged = "damaged",
    }
}

words! {
    /// Why a rental is cancelled.
    pub enum CancellationReason {
        /// The customer wants it.
        CustomerRequest = "customer_request",
        /// The customer does not pay.
        PaymentFailure = "payment_failure",
        /// The customer is not who it says.
        Fraud = "fraud",
        /// Somebody of the business unit decided so.
        AdminDecision = "admin_decision",
        /// Something else.
        Other = "other",
    }
}

/// A contract made longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// By so many months.
    pub months: u32,
    /// The contract's length before.
    pub old_months: u32,
    /// What was paid a month before, in minor units.
    pub old_monthly: i64,
    /// What is paid a month since.
    pub new_monthly: i64,
    /// Why.
    pub reason: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Time,
}

/// A device in the place of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The serial number of the one before.
    pub old_serial: SerialNumber,
    /// The serial number of the one since.
    pub new_serial: SerialNumber,
    /// Why.
    pub reason: ReplacementReason,
    /// Why, in the words of whoever did it, where those are others.
    pub words: Option<String>,
    /// What is wrong with the old one.
    pub damage_assessment: Option<String>,
    /// Whether an insurance pays.
    pub insurance_claim: bool,
    /// Free text.
    pub notes: Option<String>,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Time,
}

/// What the price of a buyout is made of, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuyoutParts {
    /// The months that are still to be billed.
    pub remaining_months: u32,
    /// What they come to.
    pub remaining: i64,
    /// The part of the list price that is asked for, in hundredths of a percent.
    pub list_hundredths: i64,
    /// What that comes to.
    pub list_part: i64,
    /// A fixed amount.
    pub flat: i64,
}

/// What the fee of an early return is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnParts {
    /// How it is found.
    pub method: ReturnMethod,
    /// The months that are still to be billed.
    pub remaining_months: u32,
    /// The part of what they come to that is asked for, in hundredths of a percent.
    pub part_hundredths: i64,
    /// Nothing is asked for because the contract has only just begun.
    pub grace: bool,
    /// The days since the contract began.
    pub days: u32,
}

words! {
    /// How the fee of an early return was found.
    pub enum ReturnMethod {
        /// From the months that are still to be billed.
        RemainingMonths = "remaining_months",
        /// It is fixed.
        FlatFee = "flat_fee",
        /// There is none.
        NoFee = "no_fee",
        /// Somebody said so.
        Manual = "manual",
    }
}

/// How a rental ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The device was sold to the customer.
    Buyout {
        /// For so much, in minor units.
        price: i64,
        /// Somebody said the price.
        manual: bool,
        /// What the price would be made of.
        parts: BuyoutParts,
        /// Why.
        reason: BuyoutReason,
        /// Why, in the words of whoever did it, where those are others.
        words: Option<String>,
        /// Free text.
        notes: Option<String>,
    },
    /// The device came back: before the contract was over, or afterwards.
    Return {
        /// The fee for it, in minor units.
        fee: i64,
        /// A fee was due, and none was asked for.
        waived: bool,
        /// Somebody said the fee.
        manual: bool,
        /// What the fee would be made of.
        parts: ReturnParts,
        /// In which condition.
        condition: ReturnCondition,
        /// Why.
        reason: String,
        /// What is wrong with it.
        damage_assessment: Option<String>,
        /// Free text.
        notes: Option<String>,
    },
    /// The customer has another device on a rental of its own.
    Upgrade {
        /// The rental of the other one.
        to: RentalId,
        /// Why.
        reason: Option<String>,
        /// Free text.
        notes: Option<String>,
    },
    /// It was given up.
    Cancellation {
        /// Why.
        reason: CancellationReason,
        /// Free text.
        notes: Option<String>,
    },
}

/// The end of a rental.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Time,
    /// Who did it.
    pub by: String,
    /// How.
    pub how: Ending,
}

/// The billing group of a rental.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Which group.
    pub group: BillingGroupId,
    /// On which day of the month it bills, from 1 to 28; `None` when it bills nothing.
    pub day: Option<u8>,
    /// The first day on which it bills for the rental.
    pub since: Time,
    /// Months that it billed, or gave up, without the rental.
    pub except: BTreeSet<Period>,
}

/// A rental.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rental {
    /// Its id.
    pub id: RentalId,
    /// When it was made; never changes.
    pub created: Time,
    /// When it was changed last.
    pub updated: Time,
    /// Who made it: the name of an API key.
    pub created_by: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// The customer's e-mail address as it was in the order.
    pub customer_email: String,
    /// The customer's name as it was in the order.
    pub customer_name: String,
    /// The order that it fulfils a unit of.
    pub order: OrderId,
    /// The serial number of the device.
    pub serial: SerialNumber,
    /// The product.
    pub product: Option<ProductId>,
    /// The variant of it.
    pub variant: Option<VariantId>,
    /// The variant's SKU.
    pub sku: Sku,
    /// The product's name as it was.
    pub product_name: String,
    /// A picture of it.
    pub image: Option<String>,
    /// What is paid a month, in minor units.
    pub monthly: i64,
    /// In which currency.
    pub currency: Currency,
    /// What the device would be sold for.
    pub list_price: Option<CapturedPrice>,
    /// What the device cost.
    pub acquisition_cost: Option<CapturedPrice>,
    /// The contract's length at the beginning, in months.
    pub original_months: u32,
    /// The contract's length, at most [`MAX_CONTRACT_MONTHS`].
    pub months: u32,
    /// When the contract begins.
    pub start: Time,
    /// How it ended; `None` while it goes on.
    pub ended: Option<Ended>,
    /// The group that bills for it.
    pub group: Option<Membership>,
    /// What was paid for it, fees included and tax not, in minor units.
    pub collected: i64,
    /// Months that are not to be billed any more: paid, given up, or billed where the rental was before.
    pub billed: BTreeSet<Period>,
    /// How the contract was made longer, oldest first.
    pub extensions: Vec<Extension>,
    /// How the device was replaced, oldest first; at most [`MAX_REPLACEMENTS`].
    pub replacements: Vec<Replacement>,
    /// The rental that it took the place of.
    pub upgraded_from: Option<RentalId>,
    /// Free text.
    pub notes: Option<String>,
}

/// A month of a contract: when it is billed, and whether by the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instalment {
    /// Which month.
    pub period: Period,
    /// On which day.
    pub due: Time,
    /// The rental's group bills it, not the rental itself.
    pub by_group: bool,
}

impl Rental {
    /// Whether it goes on, or how it ended.
    pub fn status(&self) -> RentalStatus {
        match self.ended.as_ref().map(|ended| (&ended.how, ended.at)) {
            None => RentalStatus::Active,
            Some((Ending::Buyout { .. }, _)) => RentalStatus::Buyout,
            // What comes back once the contract is over does not come early.
            Some((Ending::Return { .. }, at)) if at >= self.end() => RentalStatus::Completed,
            Some((Ending::Return { .. }, _)) => RentalStatus::EarlyReturn,
            Some((Ending::Upgrade { .. }, _)) => RentalStatus::Upgrade,
            Some((Ending::Cancellation { .. }, _)) => RentalStatus::Cancelled,
        }
    }

    /// Whether it goes on.
    pub fn is_active(&self) -> bool {
        self.ended.is_none()
    }

    /// When the contract ends.
    pub fn end(&self) -> Time {
        self.start.plus_months(self.months)
    }

    /// The day of the contract's month of that period, where no group bills it.
    pub fn own_day(&self, period: Period) -> Option<Time> {
        (0..self.months).map(|month| self.start.plus_months(month)).find(|own| Period::of(*own) == period)
    }

    /// Every month of the contract, billed or not. A day that a month does not have is its last one.
    pub fn instalments(&self) -> impl Iterator<Item = Instalment> {
        (0..self.months).map(|month| {
            let own = self.start.plus_months(month);
            let period = Period::of(own);
            let grouped = self.group.as_ref().and_then(|membership| {
                let due = period.day(membership.day?);
                // What is rented from the middle of a month on is not billed by the group before it is.
                let begins = membership.since.max(day_of(self.start));
                let is_its = due >= begins && !membership.except.contains(&period);
                is_its.then_some(Instalment { period, due, by_group: true })
            });
            grouped.unwrap_or(Instalment { period, due: own, by_group: false })
        })
    }

    /// The months that are still to be billed, from the day of `now` on.
    pub fn remaining(&self, now: Time) -> impl Iterator<Item = Instalment> {
        let today = day_of(now);
        self.instalments().filter(move |month| month.due >= today && !self.billed.contains(&month.period))
    }

    /// When something is billed next.
    pub fn next_billing(&self, now: Time) -> Option<Time> {
        self.remaining(now).map(|month| month.due).min().filter(|_| self.is_active())
    }

    /// How many whole months it lasted, or has lasted so far; at most the contract's length.
    pub fn months_rented(&self, now: Time) -> u32 {
        let until = self.ended.as_ref().map_or(now, |ended| ended.at);
        (1..=self.months).take_while(|months| self.start.plus_months(*months) <= until).count().try_into().unwrap_or(0)
    }

    /// The days since the contract began.
    pub fn days_rented(&self, now: Time) -> u32 {
        u32::try_from(days_between(self.start, now)).unwrap_or(u32::MAX)
    }

    /// How far it has paid for its device. Once it ended, its contract grows no older.
    pub fn recovery(&self, now: Time) -> Recovery {
        let now = self.ended.as_ref().map_or(now, |ended| ended.at);
        let elapsed = Elapsed { now, start: self.start, end: self.end() };
        Recovery::of(self.acquisition_cost.map(|price| price.amount), self.collected, self.monthly, elapsed)
    }

    /// Refuses what only an active rental can have done to it.
    pub fn require_active(&self) -> Result<(), RentalProblem> {
        if self.is_active() { Ok(()) } else { Err(RentalProblem::RentalNotActive(self.status())) }
    }

    /// The rental with a longer contract, extensions included at most [`MAX_CONTRACT_MONTHS`] long.
    pub fn extended(&self, wish: Extend, by: &str, now: Time) -> Result<Rental, RentalProblem> {
        self.require_active()?;
        let Extend { months, monthly, reason, notes } = wish;
        let new_months = self.months.saturating_add(months);
        if months == 0 || new_months > MAX_CONTRACT_MONTHS {
            return Err(RentalProblem::InvalidExtension { most: MAX_CONTRACT_MONTHS.saturating_sub(self.months) });
        }
        let new_monthly = monthly.unwrap_or(self.monthly);
        let mut next = self.clone();
        next.extensions.push(Extension {
            months,
            old_months: self.months,
            old_monthly: self.monthly,
            new_monthly,
            reason,
            notes,
            by: by.to_owned(),
            at: now,
        });
        next.months = new_months;
        next.monthly = new_monthly;
        next.updated = now;
        Ok(next)
    }

    /// The rental with another device.
    pub fn replaced(&self, replacement: Replacement) -> Result<Rental, RentalProblem> {
        self.require_active()?;
        if self.replacements.len() >= MAX_REPLACEMENTS {
            return Err(RentalProblem::TooManyReplacements);
        }
        let mut next = self.clone();
        next.serial.clone_from(&replacement.new_serial);
        next.updated = replacement.at;
        next.replacements.push(replacement);
        Ok(next)
    }

    /// The rental, which ended at `at`.
    pub fn ended(&self, how: Ending, by: &str, at: Time, now: Time) -> Result<Rental, RentalProblem> {
        self.require_active()?;
        let ended = Some(Ended { at, by: by.to_owned(), how });
        Ok(Rental { ended, updated: now, ..self.clone() })
    }

    /// The rental with other notes; an empty text is none.
    pub fn with_notes(&self, notes: String, now: Time) -> Rental {
        let notes = Some(notes).filter(|notes| !notes.is_empty());
        if notes == self.notes {
            return self.clone();
        }
        Rental { notes, updated: now, ..self.clone() }
    }
}

/// A wish for a longer contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extend {
    /// By so many months.
    pub months: u32,
    /// What is paid a month from now on, in minor units; `None` for what was paid.
    pub monthly: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Free text.
    pub notes: Option<String>,
}

/// The time of a contract, and a moment of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    /// The moment.
    pub now: Time,
    /// When it begins.
    pub start: Time,
    /// When it ends.
    pub end: Time,
}

impl Elapsed {
    /// Whether more than half of it is over.
    fn more_than_half(self) -> bool {
        let (gone, whole) =
            (i128::from(self.now.0) - i128::from(self.start.0), self.end.0.saturating_sub(self.start.0));
        gone * 2 > i128::from(whole)
    }
}

words! {
    /// How far a rental has paid for its device.
    pub enum RecoveryStatus {
        /// It brought in more than the device cost.
        Profitable = "profitable",
        /// It is on its way.
        Recovering = "recovering",
        /// Most of the contract is over, and not half of the cost came in.
        AtRisk = "at_risk",
        /// Nobody knows what the device cost.
        NoData = "no_data",
    }
}

/// How far a rental has paid for its device. Amounts are minor units, tax not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What came in.
    pub collected: i64,
    /// What is known where it is known what the device cost.
    pub figures: Option<RecoveryFigures>,
    /// In a word.
    pub status: RecoveryStatus,
}

/// The figures of a rental whose device's cost is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryFigures {
    /// What came in, in hundredths of a percent of the cost.
    pub percent_hundredths: i64,
    /// What came in beyond the cost.
    pub profit: i64,
    /// After how many payments the cost is in; `None` when nothing is paid.
    pub breakeven_months: Option<i64>,
    /// Whether the cost is in.
    pub has_broken_even: bool,
}

impl Recovery {
    /// The figures of a device that cost so much.
    pub fn of(cost: Option<i64>, collected: i64, monthly: i64, elapsed: Elapsed) -> Recovery {
        let Some(cost) = cost.filter(|cost| *cost > 0) else {
            return Recovery { collected, figures: None, status: RecoveryStatus::NoData };
        };
        let (is, of) = (i128::from(collected), i128::from(cost));
        let status = if is > of {
            RecoveryStatus::Profitable
        } else if is * 2 <= of && elapsed.more_than_half() {
            RecoveryStatus::AtRisk
        } else {
            RecoveryStatus::Recovering
        };
        let figures = RecoveryFigures {
            percent_hundredths: rounded(is * 10_000, of),
            profit: collected.saturating_sub(cost),
            // The documented sample: 1000 at 89 a month are in with the twelfth payment.
            breakeven_months: (monthly > 0).then(|| (cost - 1) / monthly + 1),
            has_broken_even: is >= of,
        };
        Recovery { collected, figures: Some(figures), status }
    }
}

#[cfg(test)]
pub(super) mod tests;
