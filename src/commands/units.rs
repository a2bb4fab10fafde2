//! `cusp units`: make business units, list them, change their settings. A unit is an account with a tenant id; its currency
//! is chosen when it is made.

use clap::{Args, Subcommand, ValueEnum, builder::BoolishValueParser, builder::PossibleValue};

use super::Trouble;
use super::accounts;
use super::books::Books;
use super::terminal::{Terminal, cell, table};
use crate::config::{Given, StoreOptions};
use crate::dialects::stripe::versions::NEWEST;
use crate::domain::account::{Account, Mode};
use crate::domain::coupon::Percent;
use crate::domain::ids::AccountId;
use crate::domain::money::Currency;
use crate::domain::unit::{
    Buyout, BuyoutMethod, EarlyReturn, EarlyReturnMethod, Figure, FigureTrouble, Figures, MAX_CONTRACT_MONTHS, MAX_FEE,
    MAX_GRACE_DAYS, TenantId, UnitChange, UnitSettings, parse_percent, percent_text,
};
use crate::engine::units::Changed;
use crate::store::Tx;
use crate::{engine, identity};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a business unit: an account, in test and in live mode, with a currency of its own; print the account's id
    ///
    /// Keys for it come from `cusp keys create --account ID`. FlexPortal's requests name the tenant id beside the key.
    Create {
        /// What people call it
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// The currency of all its prices, as eur; it never changes
        #[arg(long, value_name = "CODE", value_parser = accounts::currency)]
        currency: Currency,
        /// Two-letter code of its country, as DE [default: US]
        #[arg(long, value_name = "CODE", value_parser = accounts::country)]
        country: Option<String>,
        #[command(flatten)]
        wish: Wish,
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
    /// List the business units with their settings
    List {
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
    /// Change a unit's settings; what is not told stays. Running servers know within a second
    ///
    /// An account that had no tenant id becomes a unit by getting one.
    Update {
        /// The account's id, or the unit's tenant id
        unit: String,
        #[command(flatten)]
        wish: Wish,
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
}

/// What an operator may say about a unit.
#[derive(Args, Clone, Debug, Default)]
pub struct Wish {
    /// What requests call it: letters, digits, _, - and . [default: the account's id]
    #[arg(long, value_name = "TEXT", value_parser = tenant)]
    tenant_id: Option<TenantId>,
    /// The tax in percent, as 21 or 9.5; 0 for none [default: 0]
    #[arg(long, value_name = "PERCENT", value_parser = tax_rate)]
    tax_rate: Option<TaxRate>,
    /// Whether prices include the tax [default: false]
    #[arg(long, value_name = "true|false", value_parser = BoolishValueParser::new(), num_args = 0..=1,
        require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    tax_inclusive: Option<bool>,
    /// How many months an order is for when it does not say, 1 to 120; 0 for the shortest that has a price [default: 0]
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u16).range(0..=MAX_CONTRACT_MONTHS as i64))]
    default_contract_length: Option<u16>,
    /// Whether things are rented out on confirmed orders only [default: false]
    #[arg(long, value_name = "true|false", value_parser = BoolishValueParser::new(), num_args = 0..=1,
        require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    require_order_confirmation: Option<bool>,
    /// How the price of a buyout is found [default: remaining_months]
    #[arg(long, value_name = "METHOD", value_enum)]
    buyout_method: Option<BuyoutMethod>,
    /// For the methods that take a part of the list price: which, in percent
    #[arg(long, value_name = "PERCENT", value_parser = part, requires = "buyout_method")]
    buyout_percent: Option<Percent>,
    /// For the method flat: how much, in the currency's minor units, as 30000 for 300.00
    #[arg(long, value_name = "NUMBER", requires = "buyout_method")]
    buyout_amount: Option<i64>,
    /// How the fee of an early return is found [default: remaining_percentage, of 50 percent]
    #[arg(long, value_name = "METHOD", value_enum)]
    early_return_method: Option<EarlyReturnMethod>,
    /// For the method remaining_percentage: which part of what is still to be paid, in percent
    #[arg(long, value_name = "PERCENT", value_parser = part, requires = "early_return_method")]
    early_return_percent: Option<Percent>,
    /// For the method flat: how much, in the currency's minor units
    #[arg(long, value_name = "NUMBER", requires = "early_return_method")]
    early_return_amount: Option<i64>,
    /// For the method grace: for how many days after the start nothing is asked
    #[arg(long, value_name = "DAYS", requires = "early_return_method")]
    early_return_days: Option<u16>,
}

/// A tax; `None` for no tax.
#[derive(Clone, Copy, Debug)]
struct TaxRate(Option<Percent>);

impl ValueEnum for BuyoutMethod {
    fn value_variants<'a>() -> &'a [BuyoutMethod] {
        BuyoutMethod::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for EarlyReturnMethod {
    fn value_variants<'a>() -> &'a [EarlyReturnMethod] {
        EarlyReturnMethod::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

/// Does one of the commands.
pub fn run(command: Command, terminal: &Terminal) -> Result<(), Trouble> {
    match command {
        Command::Create { name, currency, country, wish, store } => {
            let change = wish.change()?;
            let books = Books::open_or_make(store.0)?;
            let id = AccountId::mint(&books.ids, books.now);
            let mut account = identity::fresh_account(id.clone(), None, Mode::Test, books.now, NEWEST);
            account.display_name = Some(name);
            account.default_currency = currency;
            account.country = country.unwrap_or(account.country);
            account.unit.tenant = TenantId::parse(id.as_str());
            account.unit = account.unit.with(change);
            books.write(move |tx| {
                is_free(tx, &account)?;
                Ok(accounts::create(tx, &account)?)
            })?;
            terminal.say(id.as_str())
        }
        Command::List { store } => {
            let accounts = Books::open(store.0)?.read(|read| engine::accounts::list(read))?;
            terminal.say(&listing(&accounts))
        }
        Command::Update { unit, wish, store } => {
            let change = wish.change()?;
            let books = Books::open(store.0)?;
            let after = books.write(move |tx| update(tx, &unit, &change))?;
            terminal.say(&listing(&[after]))
        }
    }
}

/// Changes both modes of a unit.
fn update(tx: &mut dyn Tx, unit: &str, change: &UnitChange) -> Result<Account, Trouble> {
    let accounts = engine::accounts::list(tx)?;
    let by_tenant = |account: &&Account| account.unit.tenant.as_ref().is_some_and(|tenant| tenant.as_str() == unit);
    let before = match accounts.iter().find(by_tenant) {
        Some(account) => account,
        None => accounts::find(&accounts, unit)?,
    };
    if change.tenant.is_none() && before.unit.tenant.is_none() {
        return Err(Trouble::Refused(format!("{} is no business unit yet: give it a --tenant-id", before.id)));
    }
    is_free(tx, &Account { unit: before.unit.with(change.clone()), ..before.clone() })?;
    let mut after = None;
    for account in accounts.iter().filter(|account| account.id == before.id && account.parent == before.parent) {
        match engine::units::change(tx, account.space, change.clone(), None)? {
            Changed::To(changed) => after = Some(*changed),
            Changed::CurrencyIsFixed(currency) => {
                return Err(Trouble::Refused(format!("the currency of {} stays {currency}", account.id)));
            }
        }
    }
    after.ok_or_else(|| Trouble::Refused(format!("there is no account {unit}")))
}

/// Refuses a tenant id that another account has. Two commands at the same time may both be told that it is free; that would
/// open nothing to anybody, because a tenant id only counts with a key of its own account.
fn is_free(tx: &mut dyn Tx, account: &Account) -> Result<(), Trouble> {
    let Some(tenant) = &account.unit.tenant else { return Ok(()) };
    match engine::units::of_tenant(tx, tenant)? {
        Some(other) if other != account.id => {
            Err(Trouble::Refused(format!("the tenant id {tenant} is {other}'s; choose another one")))
        }
        Some(_) | None => Ok(()),
    }
}

impl Wish {
    fn change(self) -> Result<UnitChange, Trouble> {
        let Wish {
            tenant_id,
            tax_rate,
            tax_inclusive,
            default_contract_length,
            require_order_confirmation,
            buyout_method,
            buyout_percent,
            buyout_amount,
            early_return_method,
            early_return_percent,
            early_return_amount,
            early_return_days,
        } = self;
        let buyout = Figures { percent: buyout_percent, amount: buyout_amount, days: None };
        let early = Figures { percent: early_return_percent, amount: early_return_amount, days: early_return_days };
        let buyout = buyout_method.map(|method| Buyout::of(method, buyout)).transpose();
        let early_return = early_return_method.map(|method| EarlyReturn::of(method, early)).transpose();
        Ok(UnitChange {
            tenant: tenant_id,
            tax_rate: tax_rate.map(|TaxRate(rate)| rate),
            tax_inclusive,
            default_contract_length: default_contract_length.map(|months| Some(months).filter(|months| *months > 0)),
            require_order_confirmation,
            buyout: buyout.map_err(|trouble| amiss("buyout", trouble))?,
            early_return: early_return.map_err(|trouble| amiss("early-return", trouble))?,
        })
    }
}

fn amiss(what: &str, trouble: FigureTrouble) -> Trouble {
    Trouble::Refused(match trouble {
        FigureTrouble::Needs(figure) => format!("--{what}-method needs --{what}-{}", figure.as_str()),
        FigureTrouble::HasNoUseFor(figure) => {
            format!("--{what}-method has no use for --{what}-{}", figure.as_str())
        }
        FigureTrouble::OutOfRange(figure) => {
            let most = match figure {
                Figure::Percent => "100".to_owned(),
                Figure::Amount => MAX_FEE.to_string(),
                Figure::Days => MAX_GRACE_DAYS.to_string(),
            };
            format!("--{what}-{}: expected a number from 0 to {most}", figure.as_str())
        }
    })
}

/// One row a unit; its two modes tell the same.
fn listing(accounts: &[Account]) -> String {
    let mut seen: Vec<&Account> = Vec::new();
    for account in accounts.iter().filter(|account| account.unit.tenant.is_some()) {
        if seen.iter().all(|known| known.id != account.id) {
            seen.push(account);
        }
    }
    let rows: Vec<_> = seen.into_iter().map(row).collect();
    let heads =
        ["TENANT ID", "ACCOUNT", "NAME", "CURRENCY", "TAX", "MONTHS", "CONFIRMED ONLY", "BUYOUT", "EARLY RETURN"];
    table(heads, &rows)
}

fn row(account: &Account) -> [String; 9] {
    let UnitSettings {
        tenant,
        tax_rate,
        tax_inclusive,
        default_contract_length,
        require_order_confirmation,
        buyout,
        early_return,
    } = &account.unit;
    let tax =
        tax_rate.map(|rate| format!("{}% {}", percent_text(rate), if *tax_inclusive { "included" } else { "on top" }));
    let (buyout, buyout_figures) = buyout.parts();
    let (early_return, early_return_figures) = early_return.parts();
    [
        cell(tenant.as_ref().map(TenantId::as_str)),
        account.id.to_string(),
        cell(account.display_name.as_deref()),
        account.default_currency.to_string(),
        cell(tax.as_deref()),
        cell(default_contract_length.map(|months| months.to_string()).as_deref()),
        if *require_order_confirmation { "yes" } else { "no" }.to_owned(),
        method(buyout.as_str(), buyout_figures),
        method(early_return.as_str(), early_return_figures),
    ]
}

fn method(name: &str, figures: Figures) -> String {
    let Figures { percent, amount, days } = figures;
    let percent = percent.map(|percent| format!(" {}%", percent_text(percent))).unwrap_or_default();
    let amount = amount.map(|amount| format!(" {amount}")).unwrap_or_default();
    let days = days.map(|days| format!(" {days}d")).unwrap_or_default();
    [name, &percent, &amount, &days].concat()
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).ok_or_else(|| "expected letters, digits, _, - and ., at most 200 of them".into())
}

fn tax_rate(text: &str) -> Result<TaxRate, String> {
    let rule = "expected a percentage from 0 to 100 with at most two decimals, as 21 or 9.5";
    parse_percent(text).map(TaxRate).ok_or_else(|| rule.into())
}

fn part(text: &str) -> Result<Percent, String> {
    let rule = "expected a percentage of more than 0 and at most 100 with at most two decimals, as 25 or 12.5";
    parse_percent(text).flatten().ok_or_else(|| rule.into())
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::domain::time::Time;

    fn wish(flags: &[&str]) -> Wish {
        let command = Wish::augment_args(clap::Command::new("units"));
        let matches = command.try_get_matches_from(["units"].iter().chain(flags)).expect("the flags are right");
        Wish::from_arg_matches(&matches).expect("the flags are right")
    }

    #[test]
    fn a_wish_is_a_change_of_what_it_names() {
        assert_eq!(wish(&[]).change().expect("nothing is fine"), UnitChange::default());
        let flags = ["--tax-rate=21", "--tax-inclusive", "--buyout-method=flat", "--buyout-amount=30000"];
        let change = wish(&flags).change().expect("it makes sense");
        assert_eq!(change.tax_rate, Some(Percent::of_hundredths(2_100)));
        assert_eq!((change.tax_inclusive, change.buyout), (Some(true), Some(Buyout::Flat(30_000))));
        let change = wish(&["--tax-rate=0", "--default-contract-length=0"]).change().expect("it makes sense");
        assert_eq!((change.tax_rate, change.default_contract_length), (Some(None), Some(None)));
        for (flags, words) in [
            (&["--buyout-method=flat"][..], "--buyout-method needs --buyout-amount"),
            (&["--buyout-method=remaining_months", "--buyout-percent=5"], "has no use for --buyout-percent"),
            (&["--early-return-method=grace", "--early-return-days=999"], "--early-return-days: expected a number"),
        ] {
            let refusal = wish(flags).change().expect_err(words).to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    #[test]
    fn the_list_has_one_row_a_unit() {
        let mut unit = identity::fresh_account(AccountId("acct_1".into()), None, Mode::Test, Time(5), NEWEST);
        unit.unit.tenant = TenantId::parse("nl");
        unit.unit.tax_rate = Percent::of_hundredths(2_100);
        let other = identity::fresh_account(AccountId("acct_2".into()), None, Mode::Test, Time(5), NEWEST);
        let list = listing(&[unit.clone(), identity::other_mode(&unit), other]);
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines.len(), 2, "{list}");
        for told in ["nl", "acct_1", "usd", "21% on top", "remaining_months", "remaining_percentage 50%"] {
            assert!(lines[1].contains(told), "{list}");
        }
    }
}
