//! Rental books, examined: each is added up again from the orders, rentals and payments that it rests on.

use std::collections::{BTreeMap, HashMap};

use super::{Told, named};
use crate::domain::account::Space;
use crate::domain::facts::Facts;
use crate::domain::ids::{CustomerId, OrderId, RentalId};
use crate::domain::rental_book::RentalBook;
use crate::domain::rental_payment::PaymentStatus;
use crate::domain::time::Time;

/// What the orders, rentals and payments of an account add up to, customer by customer, beside the books that there are.
#[derive(Default)]
pub(super) struct Books {
    kept: BTreeMap<CustomerId, RentalBook>,
    sums: BTreeMap<CustomerId, Sum>,
    collected: HashMap<RentalId, (i64, i64)>,
}

/// What one customer's add up to.
#[derive(Default)]
struct Sum {
    orders: HashMap<OrderId, Time>,
    open_orders: u32,
    rentals: HashMap<RentalId, Time>,
    active: u32,
    monthly_revenue: i64,
    collected: i64,
    acquisition_cost: i64,
    tracked: u32,
    first_start: Option<Time>,
}

impl Books {
    /// Takes an object into account.
    pub fn take(&mut self, facts: &Facts) {
        match facts {
            Facts::RentalBook(book) => drop(self.kept.insert(book.customer.clone(), RentalBook::clone(book))),
            Facts::Order(order) => {
                let sum = self.sums.entry(order.customer.id.clone()).or_default();
                sum.orders.insert(order.id.clone(), order.created);
                sum.open_orders += u32::from(order.status.is_open());
            }
            Facts::Rental(rental) => {
                let sum = self.sums.entry(rental.customer.clone()).or_default();
                sum.rentals.insert(rental.id.clone(), rental.created);
                if rental.is_active() {
                    sum.active += 1;
                    sum.monthly_revenue = sum.monthly_revenue.saturating_add(rental.monthly);
                }
                if let Some(cost) = &rental.acquisition_cost {
                    sum.acquisition_cost = sum.acquisition_cost.saturating_add(cost.amount);
                    sum.tracked += 1;
                }
                sum.first_start = Some(sum.first_start.map_or(rental.start, |first| first.min(rental.start)));
                self.collected.entry(rental.id.clone()).or_default().0 = rental.collected;
            }
            Facts::RentalPayment(payment) if payment.status == PaymentStatus::Paid => {
                let sum = self.sums.entry(payment.customer.clone()).or_default();
                sum.collected = sum.collected.saturating_add(payment.amount().net);
                for line in &payment.lines {
                    let collected = &mut self.collected.entry(line.rental.clone()).or_default().1;
                    *collected = collected.saturating_add(line.amount.net);
                }
            }
            // Nothing else is added up.
            _ => {}
        }
    }

    /// Tells where a book does not say what there is.
    pub fn tell(mut self, told: &mut Told<'_>, space: Space) {
        for (customer, book) in &self.kept {
            let sum = self.sums.remove(customer).unwrap_or_default();
            for fault in sum.faults(book) {
                told.fault(format!("{}: {fault}", named("rental book", customer.as_str(), space)));
            }
        }
        for (customer, sum) in &self.sums {
            if !(sum.orders.is_empty() && sum.rentals.is_empty() && sum.collected == 0) {
                let name = named("customer", customer.as_str(), space);
                told.fault(format!("{name}: it has orders, rentals or payments and no rental book"));
            }
        }
        for (rental, (kept, paid)) in &self.collected {
            if kept != paid {
                let name = named("rental", rental.as_str(), space);
                told.fault(format!("{name}: it says that {kept} was paid for it, its payments say {paid}"));
            }
        }
    }
}

impl Sum {
    /// In what a book differs.
    fn faults(&self, book: &RentalBook) -> Vec<String> {
        let RentalBook {
            customer: _,
            created: _,
            orders,
            open_orders,
            rentals,
            active,
            monthly_revenue,
            collected,
            acquisition_cost,
            tracked,
            first_start,
        } = book;
        let mut faults = Vec::new();
        if !is_in_order(orders, &self.orders) {
            faults.push("it does not list the orders that there are, oldest first".to_owned());
        }
        if !is_in_order(rentals, &self.rentals) {
            faults.push("it does not list the rentals that there are, oldest first".to_owned());
        }
        let figures = [
            ("open orders", i64::from(*open_orders), i64::from(self.open_orders)),
            ("active rentals", i64::from(*active), i64::from(self.active)),
            ("monthly revenue", *monthly_revenue, self.monthly_revenue),
            ("lifetime collected", *collected, self.collected),
            ("acquisition cost", *acquisition_cost, self.acquisition_cost),
            ("tracked rentals", i64::from(*tracked), i64::from(self.tracked)),
        ];
        for (what, said, sum) in figures.into_iter().filter(|(_, said, sum)| said != sum) {
            faults.push(format!("it says {what} {said}, and it is {sum}"));
        }
        if *first_start != self.first_start {
            faults.push("it does not say when the first rental began".to_owned());
        }
        faults
    }
}

/// Whether all that there are is listed once, in the order in which it was made.
fn is_in_order<I: std::hash::Hash + Eq>(listed: &[I], made: &HashMap<I, Time>) -> bool {
    let moments: Option<Vec<Time>> = listed.iter().map(|id| made.get(id).copied()).collect();
    let different: std::collections::HashSet<&I> = listed.iter().collect();
    different.len() == listed.len() && listed.len() == made.len() && moments.is_some_and(|moments| moments.is_sorted())
}
