//! Orders: what a customer asked to rent, as it was asked. An order keeps the customer's e-mail address, names and addresses
//! as they were, whatever becomes of the customer. It knows how many of its units are rented; it moves no money.

use super::address::Address;
use super::coupon::Percent;
use super::customer::CustomerKind;
use super::data::Entries;
use super::ids::{CustomerId, OrderId, ProductId, RentalId, Sku, VariantId};
use super::money::Currency;
use super::rental_payment::Taxed;
use super::rental_problem::RentalProblem;
use super::time::Time;
use super::words::words;

/// The most items of one order.
pub const MAX_ITEMS: usize = 200;
/// The most units of one order: each becomes a rental of its own, whose id the order holds.
pub const MAX_UNITS: u32 = 10_000;
/// How long the same order asked for again is a retry of the first, in milliseconds: 60 seconds.
pub const RETRY_MILLIS: i64 = 60_000;
/// The longest contract, in months.
pub const MAX_CONTRACT_MONTHS: u32 = 120;
/// The longest note, in characters.
pub const MAX_NOTES: usize = 5_000;
/// The longest reason for a cancellation, in characters.
pub const MAX_REASON: usize = 1_000;

words! {
    /// How far an order is.
    pub enum OrderStatus {
        /// It was placed.
        Pending = "pending",
        /// It was confirmed.
        Confirmed = "confirmed",
        /// Some of its units are rented.
        Partial = "partial",
        /// All of its units are rented.
        Fulfilled = "fulfilled",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

impl OrderStatus {
    /// Whether units are still to be rented.
    pub fn is_open(self) -> bool {
        match self {
            OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Partial => true,
            OrderStatus::Fulfilled | OrderStatus::Cancelled => false,
        }
    }
}

words! {
    /// How many units of an item are rented.
    pub enum ItemStatus {
        /// None.
        Pending = "pending",
        /// Some.
        Partial = "partial",
        /// All.
        Completed = "completed",
    }
}

words! {
    /// Whether an order is paid for.
    pub enum OrderPaymentStatus {
        /// Not yet.
        Pending = "pending",
        /// It is.
        Paid = "paid",
        /// Somebody tried in vain.
        Failed = "failed",
    }
}

/// What an order is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderPurpose {
    /// Something new.
    Standard,
    /// A longer contract for what an order asked for.
    Extension(ExtensionDetails),
    /// Another device in the place of a rented one.
    Upgrade(UpgradeDetails),
}

impl OrderPurpose {
    /// Its word.
    pub fn as_str(&self) -> &'static str {
        match self {
            OrderPurpose::Standard => "standard",
            OrderPurpose::Extension(_) => "extension",
            OrderPurpose::Upgrade(_) => "upgrade",
        }
    }
}

/// What an extension is of. Dates are texts as they were written: nothing is computed from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionDetails {
    /// The order that is extended.
    pub original: OrderId,
    /// By how many months, at least one.
    pub months: u32,
    /// When the contract would have ended.
    pub previous_end: String,
    /// When it ends now.
    pub new_end: String,
    /// Why.
    pub reason: Option<String>,
}

/// What an upgrade is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeDetails {
    /// The name of the device that it replaces.
    pub previous_device: String,
    /// That device's serial number.
    pub previous_serial: String,
    /// What it was rented for, in minor units a month.
    pub previous_monthly: i64,
    /// The rental of it.
    pub previous_rental: RentalId,
    /// Why.
    pub reason: Option<String>,
}

/// The customer of an order, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orderer {
    /// Which customer.
    pub id: CustomerId,
    /// E-mail address, as the order gave it.
    pub email: String,
    /// Given name; empty when none was given.
    pub given_name: String,
    /// Family name; empty when none was given.
    pub family_name: String,
    /// Company.
    pub company: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// What kind of person.
    pub kind: CustomerKind,
}

impl Orderer {
    /// Given and family name in one.
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name).trim().to_owned()
    }
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderItem {
    /// The product.
    pub product: ProductId,
    /// The variant of it.
    pub variant: VariantId,
    /// The variant's SKU.
    pub sku: Sku,
    /// The product's name as it was then.
    pub product_name: String,
    /// A picture of it.
    pub image: Option<String>,
    /// How many units, at least one.
    pub quantity: u32,
    /// What one costs, in minor units a month.
    pub unit_price: i64,
    /// How long one is rented, in months.
    pub contract_months: u32,
    /// What one would be sold for, in minor units.
    pub list_price: Option<i64>,
    /// What one cost, in minor units.
    pub acquisition_cost: Option<i64>,
    /// The rentals of its units, oldest first; at most as many as there are units.
    pub rentals: Vec<RentalId>,
}

impl OrderItem {
    /// How many of its units are rented.
    pub fn status(&self) -> ItemStatus {
        match self.rentals.len() {
            0 => ItemStatus::Pending,
            rented if rented < self.quantity as usize => ItemStatus::Partial,
            _ => ItemStatus::Completed,
        }
    }

    /// Whether a unit is left to be rented.
    pub fn has_free_unit(&self) -> bool {
        self.rentals.len() < self.quantity as usize
    }
}

/// What an order costs a month, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderTotals {
    /// The prices of all units.
    pub subtotal: i64,
    /// The tax on top of them, or within them where prices include it.
    pub tax: i64,
    /// What is to be paid.
    pub total: i64,
    /// In which currency.
    pub currency: Currency,
}

impl OrderTotals {
    /// What it costs where the prices of all units are so much, and tax at that rate is added to them, or is within them.
    /// `None` when it does not fit.
    pub fn of(sum: i64, rate: Option<Percent>, inclusive: bool, currency: Currency) -> Option<OrderTotals> {
        let Taxed { net: _, tax } = Taxed::of(sum, rate, inclusive);
        let total = if inclusive { sum } else { sum.checked_add(tax)? };
        Some(OrderTotals { subtotal: sum, tax, total, currency })
    }
}

/// How an order is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPayment {
    /// Whether it is.
    pub status: OrderPaymentStatus,
    /// What was paid, in minor units.
    pub paid: Option<i64>,
    /// The number of the payment at whoever took it.
    pub transaction: Option<String>,
    /// Whether a person noted it.
    pub marked_by_hand: bool,
}

/// The end of an order that was not to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// When.
    pub at: Time,
    /// Why.
    pub reason: Option<String>,
}

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// When it was placed; never changes.
    pub created: Time,
    /// When it was changed last.
    pub updated: Time,
    /// Who placed it: the name of an API key.
    pub created_by: String,
    /// How far it is.
    pub status: OrderStatus,
    /// What it is for.
    pub purpose: OrderPurpose,
    /// Who ordered.
    pub customer: Orderer,
    /// Who pays, and where.
    pub billing: Address,
    /// Where to send the devices.
    pub shipping: Address,
    /// What is to be rented; at least one line.
    pub items: Vec<OrderItem>,
    /// What it costs.
    pub totals: OrderTotals,
    /// How it is paid for.
    pub payment: OrderPayment,
    /// Free data.
    pub custom_fields: Option<Entries>,
    /// Free text.
    pub notes: Option<String>,
    /// When it was cancelled, and why.
    pub cancelled: Option<Cancellation>,
}

impl Order {
    /// How many units it asks for.
    pub fn units(&self) -> u32 {
        self.items.iter().map(|item| item.quantity).sum()
    }

    /// How many of its units are rented.
    pub fn rented(&self) -> u32 {
        u32::try_from(self.rentals().count()).unwrap_or(u32::MAX)
    }

    /// Its rentals, line by line.
    pub fn rentals(&self) -> impl Iterator<Item = &RentalId> {
        self.items.iter().flat_map(|item| &item.rentals)
    }

    /// The line from which the next unit of that SKU is rented: one that asks for so many months before others. `Err` says
    /// why there is none.
    pub fn line_of(&self, sku: &Sku, months: Option<u32>) -> Result<usize, RentalProblem> {
        let mut lines = self.items.iter().enumerate().filter(|(_, item)| item.sku == *sku).peekable();
        if lines.peek().is_none() {
            return Err(RentalProblem::SkuMismatch);
        }
        let free = lines.filter(|(_, item)| item.has_free_unit());
        // Of lines that do equally well it is the first one.
        let best = free.min_by_key(|(_, item)| months.is_some_and(|months| item.contract_months != months));
        best.map(|(line, _)| line).ok_or(RentalProblem::ItemFullyFulfilled)
    }

    /// Refuses an order from which nothing can be rented. `confirmation` says whether it has to be confirmed first.
    pub fn require_rentable(&self, confirmation: bool) -> Result<(), RentalProblem> {
        match self.status {
            OrderStatus::Pending if confirmation => Err(RentalProblem::OrderNotConfirmed(self.status)),
            OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Partial => Ok(()),
            OrderStatus::Fulfilled => Err(RentalProblem::ItemFullyFulfilled),
            OrderStatus::Cancelled => Err(RentalProblem::OrderNotConfirmed(self.status)),
        }
    }

    /// The order with a unit of that line rented.
    pub fn with_rental(&self, line: usize, rental: RentalId, now: Time) -> Result<Order, RentalProblem> {
        let mut next = self.clone();
        let item = next.items.get_mut(line).filter(|item| item.has_free_unit());
        item.ok_or(RentalProblem::ItemFullyFulfilled)?.rentals.push(rental);
        let all = next.items.iter().all(|item| !item.has_free_unit());
        next.status = if all { OrderStatus::Fulfilled } else { OrderStatus::Partial };
        next.updated = now;
        Ok(next)
    }

    /// The order confirmed. One that is confirmed stays as it is.
    pub fn confirm(&self, now: Time) -> Result<Order, RentalProblem> {
        match self.status {
            OrderStatus::Pending => Ok(Order { status: OrderStatus::Confirmed, updated: now, ..self.clone() }),
            OrderStatus::Confirmed => Ok(self.clone()),
            OrderStatus::Partial | OrderStatus::Fulfilled | OrderStatus::Cancelled => {
                Err(RentalProblem::OrderNotConfirmable(self.status))
            }
        }
    }

    /// The order cancelled.
    pub fn cancel(&self, reason: Option<String>, now: Time) -> Result<Order, RentalProblem> {
        match self.status {
            OrderStatus::Pending | OrderStatus::Confirmed => {
                let mut next = self.clone();
                next.status = OrderStatus::Cancelled;
                next.cancelled = Some(Cancellation { at: now, reason });
                next.updated = now;
                Ok(next)
            }
            OrderStatus::Partial | OrderStatus::Fulfilled => Err(RentalProblem::OrderNotCancellable(self.status)),
            OrderStatus::Cancelled => Err(RentalProblem::OrderCancelledAlready),
        }
    }

    /// The order with other notes; an empty text is none.
    pub fn with_notes(&self, notes: String, now: Time) -> Order {
        let notes = Some(notes).filter(|notes| !notes.is_empty());
        if notes == self.notes {
            return self.clone();
        }
        Order { notes, updated: now, ..self.clone() }
    }

    /// What is the same in an order that is asked for once more: SKU, quantity and length of each line, in order of the
    /// alphabet.
    pub fn lines(&self) -> Vec<(&str, u32, u32)> {
        let mut lines: Vec<_> =
            self.items.iter().map(|item| (item.sku.as_str(), item.quantity, item.contract_months)).collect();
        lines.sort_unstable();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sku: &str, quantity: u32) -> OrderItem {
        OrderItem {
            product: ProductId("prod_1".into()),
            variant: VariantId("var_1".into()),
            sku: Sku(sku.into()),
            product_name: "Laptop".into(),
            image: None,
            quantity,
            unit_price: 8_900,
            contract_months: 12,
            list_price: None,
            acquisition_cost: None,
            rentals: Vec::new(),
        }
    }

    fn order(items: Vec<OrderItem>) -> Order {
        let eur = Currency::parse("eur").unwrap();
        Order {
            id: OrderId("ord_1".into()),
            created: Time(1),
            updated: Time(1),
            created_by: "key".into(),
            status: OrderStatus::Pending,
            purpose: OrderPurpose::Standard,
            customer: Orderer {
                id: CustomerId("cus_1".into()),
                email: "jenny@example.com".into(),
                given_name: "Jenny".into(),
                family_name: "Rosen".into(),
                company: None,
                phone: None,
                kind: CustomerKind::Individual,
            },
            billing: Address::default(),
            shipping: Address::default(),
            items,
            totals: OrderTotals::of(8_900, None, false, eur).unwrap(),
            payment: OrderPayment {
                status: OrderPaymentStatus::Pending,
                paid: None,
                transaction: None,
                marked_by_hand: false,
            },
            custom_fields: None,
            notes: None,
            cancelled: None,
        }
    }

    fn rental(number: usize) -> RentalId {
        RentalId(format!("sub_{number}"))
    }

    #[test]
    fn tax_is_added_or_within() {
        let eur = Currency::parse("eur").unwrap();
        for (sum, hundredths, inclusive, tax, total) in [
            (10_000, 2_100, false, 2_100, 12_100),
            (12_100, 2_100, true, 2_100, 12_100),
            (50, 100, false, 1, 51),
            (49, 100, false, 0, 49),
            (0, 2_100, true, 0, 0),
            (10_000, 0, false, 0, 10_000),
        ] {
            let totals = OrderTotals::of(sum, Percent::of_hundredths(hundredths), inclusive, eur).unwrap();
            assert_eq!((totals.subtotal, totals.tax, totals.total), (sum, tax, total), "{sum} {hundredths}");
        }
        assert_eq!(OrderTotals::of(i64::MAX, Percent::of_hundredths(1), false, eur), None);
    }

    #[test]
    fn progress_is_counted_by_units() {
        let mut now = order(vec![item("A", 2), item("B", 1), item("A", 1)]);
        for (number, (sku, line, status)) in [
            ("A", 0, OrderStatus::Partial),
            ("A", 0, OrderStatus::Partial),
            ("A", 2, OrderStatus::Partial),
            ("B", 1, OrderStatus::Fulfilled),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(now.line_of(&Sku(sku.into()), None), Ok(line));
            now = now.with_rental(line, rental(number), Time(9)).unwrap();
            assert_eq!((now.status, now.rented()), (status, number as u32 + 1));
        }
        assert_eq!(now.line_of(&Sku("A".into()), None), Err(RentalProblem::ItemFullyFulfilled));
        assert_eq!(now.line_of(&Sku("C".into()), None), Err(RentalProblem::SkuMismatch));
        assert_eq!(now.with_rental(0, rental(9), Time(9)), Err(RentalProblem::ItemFullyFulfilled));
        assert_eq!(now.items.iter().map(OrderItem::status).collect::<Vec<_>>(), [ItemStatus::Completed; 3]);
    }

    #[test]
    fn a_line_of_the_wished_length_comes_first() {
        let longer = OrderItem { contract_months: 24, unit_price: 7_900, ..item("A", 1) };
        let order = order(vec![item("A", 1), longer]);
        let line = |order: &Order, months| order.line_of(&Sku("A".into()), months);
        for (months, expected) in [(None, 0), (Some(12), 0), (Some(24), 1), (Some(36), 0)] {
            assert_eq!(line(&order, months), Ok(expected), "{months:?}");
        }
        let rented = order.with_rental(1, rental(1), Time(9)).unwrap();
        assert_eq!(line(&rented, Some(24)), Ok(0), "another length, rather than none");
    }

    #[test]
    fn one_unit_fulfils_an_order_of_one() {
        let rented = order(vec![item("A", 1)]).with_rental(0, rental(1), Time(9)).unwrap();
        assert_eq!((rented.status, rented.updated), (OrderStatus::Fulfilled, Time(9)));
    }

    #[test]
    fn states_follow_each_other() {
        use OrderStatus::{Cancelled, Confirmed, Fulfilled, Partial, Pending};
        for (status, confirmed, cancelled, rentable, with_confirmation) in [
            (Pending, Some(Confirmed), Some(Cancelled), true, false),
            (Confirmed, Some(Confirmed), Some(Cancelled), true, true),
            (Partial, None, None, true, true),
            (Fulfilled, None, None, false, false),
            (Cancelled, None, None, false, false),
        ] {
            let order = Order { status, ..order(vec![item("A", 1)]) };
            let status_of = |wish: Result<Order, RentalProblem>| wish.ok().map(|order| order.status);
            assert_eq!(status_of(order.confirm(Time(2))), confirmed, "{status:?}");
            assert_eq!(status_of(order.cancel(None, Time(2))), cancelled, "{status:?}");
            assert_eq!(order.require_rentable(false).is_ok(), rentable, "{status:?}");
            assert_eq!(order.require_rentable(true).is_ok(), with_confirmation, "{status:?}");
        }
    }

    #[test]
    fn notes_that_stay_the_same_change_nothing() {
        let noted = order(Vec::new()).with_notes("Call first".into(), Time(5));
        assert_eq!((noted.notes.as_deref(), noted.updated), (Some("Call first"), Time(5)));
        assert_eq!(noted.with_notes("Call first".into(), Time(6)), noted);
        assert_eq!(noted.with_notes(String::new(), Time(6)).notes, None);
    }
}
