//! Payments for rentals: one a month for each rental, or for each billing group, and the fees at the end. A payment is kept
//! from the day on which it is planned; nothing here collects money, somebody notes that it came.

use super::coupon::Percent;
use super::ids::{BillingGroupId, CustomerId, RentalId, RentalPaymentId};
use super::money::Currency;
use super::period::{Period, rounded};
use super::rental_problem::RentalProblem;
use super::time::Time;
use super::words::words;

/// The longest reference of a payment, in characters.
pub const MAX_REFERENCE: usize = 500;
/// The longest note or reason, in characters.
pub const MAX_NOTES: usize = 5_000;
/// The most lines of one payment: as many as a group can have rentals.
pub const MAX_LINES: usize = super::billing_group::MAX_RENTALS;

words! {
    /// How far a payment is.
    pub enum PaymentStatus {
        /// It is planned or due.
        Pending = "pending",
        /// Somebody is collecting it.
        Processing = "processing",
        /// The money came.
        Paid = "paid",
        /// Somebody tried in vain.
        Failed = "failed",
        /// It is not to be paid any more.
        Cancelled = "cancelled",
    }
}

impl PaymentStatus {
    /// Whether it may change to that status.
    pub fn may_become(self, next: PaymentStatus) -> bool {
        use PaymentStatus::{Cancelled, Failed, Paid, Pending, Processing};
        match self {
            Pending => matches!(next, Processing | Paid | Cancelled),
            Processing => matches!(next, Paid | Failed),
            Failed => matches!(next, Processing | Paid | Cancelled),
            Paid | Cancelled => false,
        }
    }

    /// Whether it is still to be paid.
    pub fn is_open(self) -> bool {
        match self {
            PaymentStatus::Pending | PaymentStatus::Processing | PaymentStatus::Failed => true,
            PaymentStatus::Paid | PaymentStatus::Cancelled => false,
        }
    }
}

words! {
    /// What is paid for.
    pub enum PaymentPurpose {
        /// A month of a contract.
        Month = "month",
        /// A device that the customer keeps.
        Buyout = "buyout",
        /// A contract that ends before its time.
        EarlyReturn = "early_return",
    }
}

/// What a payment is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Billed {
    /// One rental.
    Rental(RentalId),
    /// The rentals of a billing group.
    Group(BillingGroupId),
}

/// A price with its tax, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taxed {
    /// Without the tax.
    pub net: i64,
    /// The tax.
    pub tax: i64,
}

impl Taxed {
    /// A price and its tax at that rate, which it includes or to which it is added. Tax is rounded to the nearest minor
    /// unit, halves up.
    pub fn of(price: i64, rate: Option<Percent>, inclusive: bool) -> Taxed {
        let hundredths = i128::from(rate.map_or(0, Percent::hundredths));
        let whole = if inclusive { 10_000 + hundredths } else { 10_000 };
        let tax = rounded(i128::from(price) * hundredths, whole);
        Taxed { net: if inclusive { price - tax } else { price }, tax }
    }
}

/// What is paid for one rental.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentLine {
    /// The rental.
    pub rental: RentalId,
    /// What for, in words.
    pub description: String,
    /// How much.
    pub amount: Taxed,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RentalPayment {
    /// Its id.
    pub id: RentalPaymentId,
    /// When it was planned; never changes.
    pub created: Time,
    /// When it was changed last.
    pub updated: Time,
    /// Who pays.
    pub customer: CustomerId,
    /// What it is of.
    pub of: Billed,
    /// What for.
    pub purpose: PaymentPurpose,
    /// For which month.
    pub period: Period,
    /// How much for each rental: one line unless it is a group's; none when it was cancelled because none was left.
    pub lines: Vec<PaymentLine>,
    /// The tax rate; `None` for no tax.
    pub tax_rate: Option<Percent>,
    /// In which currency.
    pub currency: Currency,
    /// How far it is.
    pub status: PaymentStatus,
    /// When it is due.
    pub due: Time,
    /// When the money came.
    pub paid_at: Option<Time>,
    /// Who noted that the money came: the name of an API key.
    pub marked_by: Option<String>,
    /// The payment's number at the bank or wherever it came from.
    pub reference: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// Why it is not to be paid any more.
    pub cancel_reason: Option<String>,
}

/// That money came, as somebody notes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkPaid {
    /// When; `None` for now.
    pub paid_at: Option<Time>,
    /// The payment's number at the bank or wherever it came from.
    pub reference: Option<String>,
    /// Free text.
    pub notes: Option<String>,
}

impl RentalPayment {
    /// What its lines add up to.
    pub fn amount(&self) -> Taxed {
        self.lines.iter().fold(Taxed::default(), |sum, line| Taxed {
            net: sum.net.saturating_add(line.amount.net),
            tax: sum.tax.saturating_add(line.amount.tax),
        })
    }

    /// What no two payments have in common: what it is of, and its month or its purpose. A payment that was given up has its
    /// own id behind that, because another one may take its place: where a rental comes back from a group, for instance.
    pub fn natural_key(&self) -> String {
        let of = match &self.of {
            Billed::Rental(rental) => rental.as_str(),
            Billed::Group(group) => group.as_str(),
        };
        let key = match self.purpose {
            PaymentPurpose::Month => format!("{of}:{}", self.period),
            PaymentPurpose::Buyout | PaymentPurpose::EarlyReturn => format!("{of}:{}", self.purpose.as_str()),
        };
        match self.status {
            PaymentStatus::Cancelled => format!("{key}:{}", self.id),
            _ => key,
        }
    }

    /// The line for a rental.
    pub fn line(&self, rental: &RentalId) -> Option<&PaymentLine> {
        self.lines.iter().find(|line| line.rental == *rental)
    }

    /// The payment, paid: somebody noted it by hand.
    pub fn paid(&self, wish: MarkPaid, by: &str, now: Time) -> Result<RentalPayment, RentalProblem> {
        match self.status {
            PaymentStatus::Pending | PaymentStatus::Failed => {}
            PaymentStatus::Processing => return Err(RentalProblem::PaymentProcessing),
            PaymentStatus::Paid => return Err(RentalProblem::AlreadyPaid),
            PaymentStatus::Cancelled => return Err(RentalProblem::PaymentCancelled),
        }
        let MarkPaid { paid_at, reference, notes } = wish;
        let mut next = self.clone();
        next.status = PaymentStatus::Paid;
        next.paid_at = Some(paid_at.unwrap_or(now));
        next.marked_by = Some(by.to_owned());
        next.reference = reference.or(next.reference);
        next.notes = notes.or(next.notes);
        next.updated = now;
        Ok(next)
    }

    /// The payment, which is not to be made any more.
    pub fn cancelled(&self, reason: String, now: Time) -> Result<RentalPayment, RentalProblem> {
        match self.status {
            PaymentStatus::Pending | PaymentStatus::Failed => {}
            PaymentStatus::Processing => return Err(RentalProblem::PaymentProcessing),
            PaymentStatus::Paid => return Err(RentalProblem::AlreadyPaid),
            PaymentStatus::Cancelled => return Err(RentalProblem::AlreadyCancelled),
        }
        let mut next = self.clone();
        next.status = PaymentStatus::Cancelled;
        next.cancel_reason = Some(reason);
        next.updated = now;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(hundredths: i64) -> Option<Percent> {
        Percent::of_hundredths(hundredths)
    }

    #[test]
    fn tax_is_added_or_taken_out() {
        for (price, rate, inclusive, net, tax) in [
            (12_900, None, false, 12_900, 0),
            (12_900, None, true, 12_900, 0),
            (12_900, percent(2_100), false, 12_900, 2_709),
            (12_900, percent(2_100), true, 10_661, 2_239),
            (1, percent(5_000), false, 1, 1),
            (0, percent(10_000), true, 0, 0),
        ] {
            assert_eq!(Taxed::of(price, rate, inclusive), Taxed { net, tax }, "{price} {rate:?} {inclusive}");
        }
    }

    #[test]
    fn what_was_given_up_leaves_its_key_to_another() {
        let payment = |id: &str, purpose, status| RentalPayment {
            id: RentalPaymentId(id.into()),
            created: Time(0),
            updated: Time(0),
            customer: CustomerId("cus_1".into()),
            of: Billed::Rental(RentalId("sub_1".into())),
            purpose,
            period: Period::of(Time(0)),
            lines: Vec::new(),
            tax_rate: None,
            currency: Currency::parse("eur").expect("it is one"),
            status,
            due: Time(0),
            paid_at: None,
            marked_by: None,
            reference: None,
            notes: None,
            cancel_reason: None,
        };
        for (purpose, status, key) in [
            (PaymentPurpose::Month, PaymentStatus::Pending, "sub_1:1970-01"),
            (PaymentPurpose::Month, PaymentStatus::Paid, "sub_1:1970-01"),
            (PaymentPurpose::Month, PaymentStatus::Cancelled, "sub_1:1970-01:pay_1"),
            (PaymentPurpose::Buyout, PaymentStatus::Pending, "sub_1:buyout"),
            (PaymentPurpose::EarlyReturn, PaymentStatus::Paid, "sub_1:early_return"),
        ] {
            assert_eq!(payment("pay_1", purpose, status).natural_key(), key);
        }
    }

    #[test]
    fn what_is_over_stays_as_it_is() {
        for from in PaymentStatus::ALL {
            let ways = PaymentStatus::ALL.iter().filter(|to| from.may_become(**to)).count();
            assert_eq!(ways > 0, from.is_open(), "{from:?}");
            assert!(!from.may_become(*from));
        }
    }
}
