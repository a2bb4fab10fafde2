//! `cusp accounts`: make accounts, make connected accounts, list them.

use clap::{Args, Subcommand};

use super::Trouble;
use super::books::Books;
use super::terminal::{Terminal, cell, table};
use crate::config::{Given, StoreOptions};
use crate::dialects::stripe::versions::NEWEST;
use crate::domain::account::{Account, Mode};
use crate::domain::ids::AccountId;
use crate::domain::money::Currency;
use crate::domain::time::Time;
use crate::store::{Kept, Tx};
use crate::{engine, identity, rfc3339};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account, in test and in live mode, and print its id
    Create {
        #[command(flatten)]
        details: Details,
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
    /// Make a connected account: one that the keys of another account act for, and print its id
    ///
    /// Requests to it carry a key of the other account and `Stripe-Account: ID`. What is not told is as the other
    /// account has it.
    Link {
        /// The account whose keys will act for the new one
        #[arg(long, value_name = "ID")]
        account: String,
        #[command(flatten)]
        details: Details,
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
}

/// What an operator may say about a new account.
#[derive(Args, Clone, Debug, Default)]
pub struct Details {
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The currency of balances when the customer has none, as eur [default: usd]
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<Currency>,
    /// Two-letter code of its country, as DE [default: US]
    #[arg(long, value_name = "CODE", value_parser = country)]
    country: Option<String>,
    /// The Stripe API version that speaks when the caller names none [default: the newest]
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
}

/// Does one of the commands.
pub fn run(command: Command, terminal: &Terminal) -> Result<(), Trouble> {
    match command {
        Command::Create { details, store } => {
            let books = Books::open_or_make(store.0)?;
            let account = fresh(AccountId::mint(&books.ids, books.now), books.now, details);
            let id = account.id.clone();
            books.write(move |tx| Ok(create(tx, &account)?))?;
            terminal.say(id.as_str())
        }
        Command::List { store } => {
            let accounts = Books::open(store.0)?.read(|read| engine::accounts::list(read))?;
            terminal.say(&listing(&accounts))
        }
        Command::Link { account, details, store } => {
            let books = Books::open(store.0)?;
            let id = AccountId::mint(&books.ids, books.now);
            let (now, linked) = (books.now, id.clone());
            books.write(move |tx| {
                let parent = find(&engine::accounts::list(tx)?, &account)?.clone();
                create(tx, &connected(&parent, linked.clone(), now, details.clone())?)?;
                Ok(())
            })?;
            terminal.say(id.as_str())
        }
    }
}

/// A new account, in test mode.
pub fn fresh(id: AccountId, now: Time, details: Details) -> Account {
    described(identity::fresh_account(id, None, Mode::Test, now, NEWEST), details)
}

/// A new account that the keys of `parent` act for, in test mode.
fn connected(parent: &Account, id: AccountId, now: Time, details: Details) -> Result<Account, Trouble> {
    if let Some(grandparent) = &parent.parent {
        return Err(Trouble::Refused(format!(
            "{} is itself connected to {grandparent}; link the new account to that one",
            parent.id
        )));
    }
    let like_parent = Account {
        default_currency: parent.default_currency,
        country: parent.country.clone(),
        ..identity::fresh_account(id, Some(parent.id.clone()), Mode::Test, now, &parent.api_version)
    };
    Ok(described(like_parent, details))
}

fn described(account: Account, details: Details) -> Account {
    let Details { name, currency, country, api_version } = details;
    Account {
        display_name: name,
        default_currency: currency.unwrap_or(account.default_currency),
        country: country.unwrap_or(account.country),
        api_version: api_version.unwrap_or(account.api_version),
        ..account
    }
}

/// Keeps a new account in both modes.
pub fn create(tx: &mut dyn Tx, account: &Account) -> Kept<()> {
    engine::accounts::find_or_create(tx, account)?;
    engine::accounts::find_or_create(tx, &identity::other_mode(account))?;
    Ok(())
}

/// The account that an operator calls `id`, in either mode.
pub fn find<'a>(accounts: &'a [Account], id: &str) -> Result<&'a Account, Trouble> {
    accounts.iter().find(|account| account.id.as_str() == id).ok_or_else(|| {
        Trouble::Refused(format!("there is no account {id}; `cusp accounts list` shows those there are"))
    })
}

/// One row an account; its two modes tell the same.
fn listing(accounts: &[Account]) -> String {
    let mut seen: Vec<&Account> = Vec::new();
    for account in accounts {
        if seen.last().is_none_or(|last| last.id != account.id) {
            seen.push(account);
        }
    }
    let rows: Vec<_> = seen
        .into_iter()
        .map(|account| {
            [
                account.id.to_string(),
                cell(account.display_name.as_deref()),
                cell(account.parent.as_ref().map(AccountId::as_str)),
                account.default_currency.to_string(),
                account.country.clone(),
                account.api_version.clone(),
                rfc3339::text(account.created),
            ]
        })
        .collect();
    table(["ACCOUNT", "NAME", "CONNECTED TO", "CURRENCY", "COUNTRY", "API VERSION", "CREATED"], &rows)
}

/// A currency by its code.
pub fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code)
        .ok_or_else(|| "expected the three letters of a currency that can be charged in, as eur".into())
}

/// A country's code.
pub fn country(code: &str) -> Result<String, String> {
    let code = code.to_ascii_uppercase();
    match rust_iso3166::from_alpha2(&code) {
        Some(_) => Ok(code),
        None => Err("expected the two letters of a country, as DE".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details() -> Details {
        Details {
            name: Some("Bakery".into()),
            currency: Currency::parse("eur"),
            country: Some("DE".into()),
            api_version: None,
        }
    }

    #[test]
    fn a_new_account_is_what_was_told_of_it() {
        let account = fresh(AccountId("acct_1".into()), Time(5), details());
        assert_eq!(account.display_name.as_deref(), Some("Bakery"));
        assert_eq!((account.default_currency.as_str(), account.country.as_str()), ("eur", "DE"));
        assert_eq!(account.api_version, NEWEST);
        assert_eq!(account.space, identity::space(None, &account.id, Mode::Test));
    }

    #[test]
    fn a_connected_account_takes_after_its_parent() {
        let parent = fresh(AccountId("acct_1".into()), Time(5), details());
        let id = AccountId("acct_2".into());
        let child = connected(&parent, id.clone(), Time(6), Details::default()).expect("the parent stands alone");
        assert_eq!(child.parent, Some(parent.id.clone()));
        assert_eq!((child.default_currency, &child.country), (parent.default_currency, &parent.country));
        assert_eq!(child.display_name, None);
        assert_eq!(child.space, identity::space(Some(&parent.id), &id, Mode::Test));
        let refusal = connected(&child, id, Time(7), Details::default()).expect_err("it is connected itself");
        assert!(refusal.to_string().contains(&format!("itself connected to {}", parent.id)));
    }

    #[test]
    fn the_list_has_one_row_an_account() {
        let one = fresh(AccountId("acct_1".into()), Time(5), details());
        let two = fresh(AccountId("acct_2".into()), Time(6), Details::default());
        let list = listing(&[one.clone(), identity::other_mode(&one), two.clone(), identity::other_mode(&two)]);
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("ACCOUNT"));
        assert!(lines[1].starts_with(one.id.as_str()) && lines[1].contains("Bakery"));
        assert!(lines[2].starts_with(two.id.as_str()));
    }

    #[test]
    fn currencies_and_countries_are_known_ones() {
        assert_eq!(currency("EUR"), Ok(Currency::parse("eur").expect("supported")));
        assert_eq!(country("de"), Ok("DE".into()));
        currency("xxx").expect_err("no such currency");
        country("Germany").expect_err("no such code");
    }
}
