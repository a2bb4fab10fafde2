//! Customers as objects of a file, with what they hold as far as the object shows it.

use serde_json::Value;

use super::super::customers::{CREATE, Input};
use super::fields::{Fault, Fields, Readable};
use super::{instruments, offers};
use crate::domain::account::Account;
use crate::domain::cash::BankTransfer;
use crate::domain::customer::{Customer, CustomerChange};
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::{Instrument, SourceChoice};
use crate::domain::money::Currency;
use crate::domain::patch::Patch;
use crate::domain::tax_id::{MAX_TAX_IDS, TaxId};
use crate::domain::time::Time;

/// A customer and what is to be done with it when all that it holds is known.
pub struct Read {
    /// The customer as far as it is known.
    pub customer: Customer,
    /// The source that it is to have by default.
    pub default_source: Option<InstrumentId>,
    /// The payment method that invoices are to be charged to.
    pub default_payment_method: Option<InstrumentId>,
}

/// A customer with its sources and tax ids as far as its object shows them.
pub fn customer(mut fields: Fields, account: &Account, now: Time) -> Readable<Read> {
    let id = CustomerId(fields.own_id()?);
    fields.only("object", "customer")?;
    if let Some(deleted) = fields.take("deleted") {
        return match deleted {
            Value::Bool(true) => {
                fields.end()?;
                Ok(Read {
                    customer: Customer::blank(id, String::new(), now).tombstone(now),
                    default_source: None,
                    default_payment_method: None,
                })
            }
            _ => Err(fields.fault("deleted", "it can only be true")),
        };
    }
    fields.off(&["livemode", "delinquent"])?;
    fields.null(&["test_clock", "customer_account"])?;
    // Follows from the balance.
    fields.derived(&["invoice_credit_balance"]);
    let created = fields.created(now)?;
    let currency = fields.currency("currency")?;
    let mut customer = Customer::blank(id, String::new(), created);

    none_of(&mut fields, "subscriptions")?;
    let discount = fields.inner("discount")?;
    customer.discount = discount.map(|inner| offers::discount(inner, customer.id.as_str(), created)).transpose()?;
    cash(&mut fields, &mut customer)?;
    if let Some(mut tax) = fields.inner("tax")? {
        // What a tax office makes of the addresses.
        tax.derived(&["automatic_tax", "location", "provider"]);
        fields.put("tax", tax);
    }
    let default_payment_method = match fields.inner("invoice_settings")? {
        None => None,
        Some(mut settings) => {
            let method = offers::reference(&mut settings, "default_payment_method")?.map(InstrumentId);
            // An empty list is one that was emptied.
            if settings.is_empty("custom_fields") {
                settings.clear("custom_fields");
            }
            fields.put("invoice_settings", settings);
            method
        }
    };
    let default_source = offers::reference(&mut fields, "default_source")?.map(InstrumentId);
    let sources = fields.list("sources")?;
    let tax_ids = fields.list("tax_ids")?;

    let Input { change, .. } = fields.read(CREATE)?;
    let mut customer = with(&customer, change, currency.unwrap_or(account.default_currency))?;
    customer.currency = currency.or(customer.currency);

    // Lists show the newest first.
    for (path, value) in sources.into_iter().rev() {
        let (instrument, holder) = source(Fields::of(value, &path)?, created)?;
        of(&customer, holder.as_deref(), &path)?;
        hold(&mut customer, instrument, &path)?;
    }
    for (path, value) in tax_ids.into_iter().rev() {
        let (tax_id, holder) = offers::tax_id(Fields::of(value, &path)?, account.mode, created)?;
        of(&customer, holder.as_deref(), &path)?;
        add(&mut customer, tax_id, &path)?;
    }
    Ok(Read { customer, default_source, default_payment_method })
}

impl Read {
    /// The customer, once it has all that it holds.
    pub fn whole(self, account: &Account) -> Readable<Customer> {
        let Read { mut customer, default_source, default_payment_method } = self;
        // In the order in which they were made, where that is known.
        customer.instruments.sort_by_key(Instrument::created);
        let choices = CustomerChange {
            default_source: default_source.map(|id| SourceChoice { id, kind: None }),
            default_payment_method: default_payment_method.map(Patch::Set).unwrap_or_default(),
            ..CustomerChange::default()
        };
        with(&customer, choices, account.default_currency)
    }
}

/// A card or a bank account of the older API.
pub fn source(fields: Fields, now: Time) -> Readable<(Instrument, Option<String>)> {
    match fields.kind() {
        Some("card") => instruments::card(fields, now),
        Some("bank_account") => instruments::bank_account(fields, now),
        Some(_) | None => Err(fields.fault("object", "only a card or a bank_account can be brought in here")),
    }
}

/// Has the customer hold an instrument.
pub fn hold(customer: &mut Customer, instrument: Instrument, path: &str) -> Readable<()> {
    *customer = customer.with_instrument(instrument).map_err(|problem| Fault::of_problem(path, problem))?;
    Ok(())
}

/// Has the customer have a tax id.
pub fn add(customer: &mut Customer, tax_id: TaxId, path: &str) -> Readable<()> {
    if customer.tax_ids.len() >= MAX_TAX_IDS {
        return Err(Fault::new(path, format!("a customer has at most {MAX_TAX_IDS} tax ids")));
    }
    customer.tax_ids.push(tax_id);
    Ok(())
}

fn with(customer: &Customer, change: CustomerChange, currency: Currency) -> Readable<Customer> {
    let kept = customer.discount.clone();
    let changed = customer.with(change, currency).map_err(|problem| Fault::of_problem("", problem))?;
    Ok(Customer { discount: kept, ..changed })
}

fn of(customer: &Customer, holder: Option<&str>, path: &str) -> Readable<()> {
    match holder {
        Some(holder) if holder != customer.id.as_str() => {
            Err(Fault::new(path, format!("its customer is {holder}, but {} shows it", customer.id)))
        }
        Some(_) | None => Ok(()),
    }
}

/// A list of things that there are none of here.
fn none_of(fields: &mut Fields, name: &str) -> Readable<()> {
    match fields.list(name)?.first() {
        Some((path, _)) => Err(Fault::new(path, "it cannot be brought in")),
        None => Ok(()),
    }
}

/// What the customer has sent, and how it is matched, which stays for the table of parameters to read.
fn cash(fields: &mut Fields, customer: &mut Customer) -> Readable<()> {
    let Some(mut cash) = fields.inner("cash_balance")? else { return Ok(()) };
    cash.only("object", "cash_balance")?;
    cash.only("customer", customer.id.as_str())?;
    cash.off(&["livemode"])?;
    cash.null(&["customer_account"])?;
    if let Some(mut available) = cash.inner("available")? {
        for code in available.names() {
            let amount = available.count(&code)?;
            let currency = Currency::parse(&code).filter(|currency| BankTransfer::of(*currency).is_some());
            let currency = currency.ok_or_else(|| available.fault(&code, "nobody can send this currency"))?;
            customer.cash.insert(currency, amount);
        }
    }
    let mut mode = None;
    if let Some(mut settings) = cash.inner("settings")? {
        mode = settings.text("reconciliation_mode")?;
        if settings.take("using_merchant_default") == Some(Value::Bool(true)) {
            mode = None;
        }
        settings.end()?;
    }
    cash.end()?;
    if let Some(mode) = mode {
        let settings = serde_json::json!({ "settings": { "reconciliation_mode": mode } });
        fields.put("cash_balance", Fields::of(settings, "")?);
    }
    Ok(())
}
