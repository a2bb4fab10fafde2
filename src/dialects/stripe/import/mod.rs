//! Files of objects as the API shows them, with their ids: JSON lines, one object after the other, or lists of them. A file
//! is read whole before anything of it is kept, and what cannot be brought in is refused by its line and its field.
//! QUIRK: Stripe has no such thing; what is shown by it can be put here.

mod customers;
mod fields;
mod instruments;
mod offers;

use std::collections::HashMap;

use serde_json::Value;

use crate::domain::account::Account;
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::LoosePaymentMethod;
use crate::domain::tax_id::TaxId;
use crate::domain::time::Time;
use crate::engine::imports::{At, Import};
use fields::{Fault, Fields, Readable};

/// Reads a file for an account at that moment; or tells the first thing that is wrong with it.
pub fn read(text: &[u8], account: &Account, now: Time) -> Result<Import, String> {
    let mut file = File { account, now, import: Import::default(), customers: Vec::new(), held: Vec::new() };
    for value in Lines::of(text) {
        let At { line, what } = value?;
        file.take(line, what).map_err(|fault| told(line, &fault))?;
    }
    file.whole()
}

fn told(line: usize, fault: &Fault) -> String {
    let Fault { field, rule } = fault;
    if field.is_empty() { format!("line {line}: {rule}") } else { format!("line {line}: {field}: {rule}") }
}

/// The values of a file, and where each begins.
struct Lines<'a> {
    text: &'a [u8],
    place: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Lines<'a> {
        Lines { text: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text), place: 0, line: 1 }
    }

    /// Goes on to a place further down.
    fn go_to(&mut self, place: usize) {
        self.line += self.text[self.place..place].iter().filter(|byte| **byte == b'\n').count();
        self.place = place;
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<At<Value>, String>;

    fn next(&mut self) -> Option<Result<At<Value>, String>> {
        let rest = &self.text[self.place..];
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.go_to(self.place + blank);
        let mut values = serde_json::Deserializer::from_slice(&self.text[self.place..]).into_iter::<Value>();
        let line = self.line;
        match values.next()? {
            Ok(what) => {
                let read = values.byte_offset();
                self.go_to(self.place + read);
                Some(Ok(At { line, what }))
            }
            Err(error) => {
                let line = line + error.line().saturating_sub(1);
                self.place = self.text.len();
                // The error's own words end with a line that is counted from here.
                let words = error.to_string();
                let words = words.split(" at line ").next().unwrap_or_default();
                Some(Err(format!("line {line}: this is no JSON: {words}")))
            }
        }
    }
}

/// Something that a customer holds, on a line of its own.
enum Held {
    Instrument(Instrument),
    TaxId(TaxId),
}

/// A file, as far as it was read.
struct File<'a> {
    account: &'a Account,
    now: Time,
    import: Import,
    customers: Vec<At<customers::Read>>,
    held: Vec<At<(String, Held)>>,
}

impl File<'_> {
    fn take(&mut self, line: usize, value: Value) -> Readable<()> {
        if let Value::Array(items) = value {
            return items.into_iter().try_for_each(|item| self.take(line, item));
        }
        let mut fields = Fields::of(value, "")?;
        let now = self.now;
        let kind = fields.kind().map(str::to_owned);
        match kind.as_deref() {
            Some("list") => {
                // A page is as good as a list: what is on other pages is in other files.
                fields.derived(&["has_more"]);
                let items = fields.items()?;
                return items.into_iter().try_for_each(|item| self.take(line, item));
            }
            Some("customer") => {
                let what = customers::customer(fields, self.account, now)?;
                self.customers.push(At { line, what });
            }
            Some("coupon") => self.import.coupons.push(At { line, what: offers::coupon(fields, now)? }),
            Some("promotion_code") => {
                self.import.promotion_codes.push(At { line, what: offers::promotion_code(fields, now)? });
            }
            Some("payment_method") => match instruments::payment_method(fields, now)? {
                (method, Some(customer)) => {
                    self.held.push(At { line, what: (customer, Held::Instrument(method.into())) });
                }
                (method, None) => {
                    let what = LoosePaymentMethod { method, spent: false };
                    self.import.payment_methods.push(At { line, what });
                }
            },
            Some("card" | "bank_account") => {
                let (instrument, customer) = customers::source(fields, now)?;
                let customer = customer.ok_or_else(|| Fault::new("customer", "it is missing"))?;
                self.held.push(At { line, what: (customer, Held::Instrument(instrument)) });
            }
            Some("tax_id") => {
                let (tax_id, customer) = offers::tax_id(fields, self.account.mode, now)?;
                let customer = customer.ok_or_else(|| Fault::new("customer", "it is missing"))?;
                self.held.push(At { line, what: (customer, Held::TaxId(tax_id)) });
            }
            Some(other) => {
                return Err(Fault::new("object", format!("objects of the kind {other} cannot be brought in")));
            }
            None => return Err(Fault::new("object", "it is missing: it says what kind of object it is")),
        }
        Ok(())
    }

    /// All of it, once each customer has what it holds.
    fn whole(self) -> Result<Import, String> {
        let File { account, now: _, mut import, mut customers, held } = self;
        let places: HashMap<CustomerId, usize> =
            customers.iter().enumerate().map(|(place, read)| (read.what.customer.id.clone(), place)).collect();
        for At { line, what: (customer, held) } in held {
            let given = give(&mut customers, &places, customer, held);
            given.map_err(|fault| told(line, &fault))?;
        }
        for At { line, what } in customers {
            let what: Customer = what.whole(account).map_err(|fault| told(line, &fault))?;
            import.customers.push(At { line, what });
        }
        Ok(import)
    }
}

/// Gives a customer of the file what it holds.
fn give(
    customers: &mut [At<customers::Read>],
    places: &HashMap<CustomerId, usize>,
    customer: String,
    held: Held,
) -> Readable<()> {
    let holder = places.get(&CustomerId(customer.clone())).map(|place| &mut customers[*place].what.customer);
    let holder = holder.filter(|holder| holder.deleted.is_none());
    let holder =
        holder.ok_or_else(|| Fault::new("customer", format!("the customer {customer} is not in this file")))?;
    match held {
        Held::Instrument(instrument) => customers::hold(holder, instrument, ""),
        Held::TaxId(tax_id) => customers::add(holder, tax_id, ""),
    }
}

#[cfg(test)]
mod tests;
