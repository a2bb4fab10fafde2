//! What customers hold, examined: defaults are held, nothing is in two places, and what a discount is of is there.

use std::collections::HashMap;

use super::{Check, body, facts, named, text};
use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::domain::discount::Discount;
use crate::domain::facts::Facts;
use crate::domain::instrument::Instrument;
use crate::domain::object::ObjectKind;
use crate::domain::term::Mark;
use crate::store::Kept;
use crate::store::record::read_customer;
use crate::store::rows::{Cell, Key, PAGE, Row, Table, Walk};

/// Customers that have a term, as far as a page tells of them.
struct Sharers<'a> {
    term: i64,
    first: Cell,
    others: Vec<&'a Cell>,
}

impl Check<'_> {
    /// Examines what these customers hold, each for itself and beside the objects that there are.
    pub(super) fn holdings(&mut self, space: Space, customers: &[Customer]) -> Kept<()> {
        for customer in customers {
            let name = named("customer", customer.id.as_str(), space);
            for fault in faults_within(customer) {
                self.told.fault(format!("{name}: {fault}"));
            }
        }
        let mut wanted: Vec<Key> = Vec::new();
        for customer in customers {
            wanted.extend(kept_apart(customer).map(|(kind, id)| key(kind, id)));
            wanted.extend(customer.discount.iter().flat_map(coupon_keys));
        }
        wanted.sort();
        wanted.dedup();
        let found = self.found("objects", space, &wanted)?;
        for customer in customers {
            let name = named("customer", customer.id.as_str(), space);
            for (_, id) in kept_apart(customer).filter(|(kind, id)| found.contains_key(&key(*kind, id))) {
                self.told.fault(format!("{name}: it holds {id}, which is also kept as held by nobody"));
            }
            let has_coupon = |discount: &Discount| {
                let row = |key: Key| found.get(&key).map(|row| facts(row));
                coupon_keys(discount).into_iter().filter_map(row).any(|facts| match facts {
                    Ok(Facts::Coupon(coupon)) => coupon.serial == discount.coupon_serial,
                    Ok(_) => false,
                    // An object that cannot be read is told of by itself.
                    Err(_) => true,
                })
            };
            if let Some(discount) = customer.discount.as_ref().filter(|discount| !has_coupon(discount)) {
                self.told.fault(format!("{name}: the coupon {} of its discount is not there", discount.coupon));
            }
        }
        Ok(())
    }

    /// Looks for marks that several customers have. Terms come in the order of their digests, so those who share one are
    /// neighbours; of each, the first customer tells whether it is a mark or a word that anybody may have.
    pub(super) fn shared_marks(&mut self, space: Space) -> Kept<()> {
        let mut walk = Walk::new(Table::named("customer_terms"), space, None);
        let mut last: Option<(i64, Cell)> = None;
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            let mut shared: Vec<Sharers<'_>> = Vec::new();
            for row in &page {
                let [Cell::Number(term), _, id] = &row[..] else { continue };
                match &last {
                    Some((same, first)) if same == term => match shared.last_mut().filter(|it| it.term == *term) {
                        Some(sharers) => sharers.others.push(id),
                        None => shared.push(Sharers { term: *term, first: first.clone(), others: vec![id] }),
                    },
                    Some(_) | None => last = Some((*term, id.clone())),
                }
            }
            let firsts = self.customers_of(space, shared.iter().map(|sharers| &sharers.first))?;
            let mark = |sharers: &Sharers<'_>| -> Option<Mark> {
                firsts.get(&sharers.first)?.marks().find(|mark| mark.digest() == sharers.term)
            };
            let marked: Vec<(Mark, Sharers<'_>)> =
                shared.into_iter().filter_map(|sharers| Some((mark(&sharers)?, sharers))).collect();
            let others = marked.iter().flat_map(|(_, sharers)| sharers.others.iter().copied());
            let others = self.customers_of(space, others)?;
            for (mark, sharers) in &marked {
                let what = match mark {
                    Mark::InvoicePrefix(prefix) => format!("it has invoice prefix {prefix}"),
                    Mark::Holding(id) => format!("it holds {id}"),
                };
                let first = text(&sharers.first).unwrap_or("?");
                for other in sharers.others.iter().filter_map(|id| others.get(*id)).filter(|other| other.has(mark)) {
                    let name = named("customer", other.id.as_str(), space);
                    self.told.fault(format!("{name}: {what}, and so does customer {first}"));
                }
            }
        }
        Ok(())
    }

    /// The customers of those ids, as far as they are there and can be read; the others are told of by themselves.
    fn customers_of<'a>(&mut self, space: Space, ids: impl Iterator<Item = &'a Cell>) -> Kept<HashMap<Cell, Customer>> {
        let mut keys: Vec<Key> = ids.map(|id| vec![id.clone()]).collect();
        keys.sort();
        keys.dedup();
        let found = self.found("customers", space, &keys)?;
        let read = |row: &Row| body(row).ok().and_then(|body| read_customer(body).ok());
        Ok(found.into_values().filter_map(|row| Some((row.first()?.clone(), read(&row)?))).collect())
    }

    /// The rows of those keys that are there.
    fn found(&mut self, table: &str, space: Space, keys: &[Key]) -> Kept<HashMap<Key, Row>> {
        let table = Table::named(table);
        let mut all = HashMap::new();
        for keys in keys.chunks(PAGE) {
            let found = self.rows.find(table, space, keys);
            let found = self.told.readable(found)?.unwrap_or_default();
            all.extend(found.into_iter().map(|row| (table.key_of(&row), row)));
        }
        Ok(all)
    }
}

/// What is wrong with a customer, whatever else there is.
fn faults_within(customer: &Customer) -> Vec<String> {
    let mut faults = Vec::new();
    let held = |id: &str, shown: fn(&Instrument) -> bool| customer.instrument(id).is_some_and(shown);
    if let Some(id) = customer.default_source.as_ref().filter(|id| !held(id.as_str(), Instrument::is_source)) {
        faults.push(format!("its default source {id} is none of its sources"));
    }
    let charged = customer.invoice_settings.default_payment_method.as_ref();
    if let Some(id) = charged.filter(|id| !held(id.as_str(), Instrument::is_payment_method)) {
        faults.push(format!("its default payment method {id} is none of its payment methods"));
    }
    let mut ids: Vec<Mark> = customer.marks().collect();
    ids.sort();
    for pair in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
        if let Mark::Holding(id) = &pair[0] {
            faults.push(format!("it holds {id} twice"));
        }
    }
    if customer.deleted.is_some() && ids.len() > 1 {
        faults.push("it is deleted and holds something".to_owned());
    }
    faults
}

/// What a customer holds that is an object while nobody holds it.
fn kept_apart(customer: &Customer) -> impl Iterator<Item = (ObjectKind, &str)> {
    customer.instruments.iter().filter_map(|instrument| match instrument {
        Instrument::PaymentMethod(method) => Some((ObjectKind::PaymentMethod, method.id.as_str())),
        Instrument::Source(source) => Some((ObjectKind::Source, source.id.as_str())),
        Instrument::Card(_) | Instrument::BankAccount(_) => None,
    })
}

/// Where the coupon of a discount may be kept.
fn coupon_keys(discount: &Discount) -> [Key; 2] {
    let Discount { coupon, coupon_serial, id: _, promotion_code: _, start: _, end: _ } = discount;
    [key(ObjectKind::Coupon, coupon.as_str()), key(ObjectKind::RetiredCoupon, coupon_serial.as_str())]
}

fn key(kind: ObjectKind, id: &str) -> Key {
    vec![Cell::Text(kind.as_str().to_owned()), Cell::Text(id.to_owned())]
}
