//! `/cusp/v1/sandbox/unit`: the business unit that a sandbox is for those who rent out. Servers that keep records have their
//! units changed by an operator, with `cusp units`.

use super::failure::{Halt, Refusal};
use super::input::Given;
use super::{Call, shown};
use crate::domain::account::Account;
use crate::domain::coupon::Percent;
use crate::domain::money::Currency;
use crate::domain::unit::{
    Buyout, BuyoutMethod, EarlyReturn, EarlyReturnMethod, Figure, FigureTrouble, Figures, MAX_CONTRACT_MONTHS, MAX_FEE,
    MAX_GRACE_DAYS, TenantId, UnitChange, UnitSettings, parse_percent, percent_text,
};
use crate::engine::units::Changed;
use crate::http::Reply;
use crate::http::json::{Json, Object};

/// `GET /cusp/v1/sandbox/unit`
pub async fn retrieve(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    Ok(shown(object(&call.account)))
}

/// `POST /cusp/v1/sandbox/unit`
pub async fn update(mut call: Call) -> Result<Reply, Halt> {
    let (change, currency) = call.read(|given| {
        let currency = match given.text("currency")? {
            None => None,
            Some(code) => Some(Currency::parse(&code).ok_or_else(|| {
                given.refuse("currency", "unknown_word", "it has to be the three letters of a currency, as `eur`.")
            })?),
        };
        let months = given.whole("default_contract_length", 0..=i64::from(MAX_CONTRACT_MONTHS))?;
        let change = UnitChange {
            tenant: None,
            tax_rate: percent(given, "tax_rate")?,
            tax_inclusive: given.flag("tax_inclusive")?,
            // The bounds above fit.
            default_contract_length: months.map(|months| u16::try_from(months).ok().filter(|months| *months > 0)),
            require_order_confirmation: given.flag("require_order_confirmation")?,
            buyout: match given.object("buyout")? {
                Some(inner) => Some(inner.read(buyout)?),
                None => None,
            },
            early_return: match given.object("early_return")? {
                Some(inner) => Some(inner.read(early_return)?),
                None => None,
            },
        };
        Ok((change, currency))
    })?;
    match call.cusp.app.change_unit(call.account.clone(), change, currency).await? {
        Changed::To(account) => Ok(shown(object(&account))),
        Changed::CurrencyIsFixed(currency) => {
            let message = format!(
                "`currency` stays {currency}: something has happened in the sandbox already. Empty it first, or use \
                 another one."
            );
            Err(Refusal::of_param("currency", "currency_is_fixed", message).into())
        }
    }
}

fn buyout(given: &mut Given) -> Result<Buyout, Refusal> {
    let method = given.one_of("method", BuyoutMethod::ALL, BuyoutMethod::as_str)?;
    let method = given.needed("method", method)?;
    let figures = Figures { percent: part(given)?, amount: given.whole("amount", 0..=MAX_FEE)?, days: None };
    Buyout::of(method, figures).map_err(|trouble| refusal(given, trouble))
}

fn early_return(given: &mut Given) -> Result<EarlyReturn, Refusal> {
    let method = given.one_of("method", EarlyReturnMethod::ALL, EarlyReturnMethod::as_str)?;
    let method = given.needed("method", method)?;
    let days = given.whole("days", 0..=i64::from(MAX_GRACE_DAYS))?;
    let figures = Figures {
        percent: part(given)?,
        amount: given.whole("amount", 0..=MAX_FEE)?,
        days: days.and_then(|days| u16::try_from(days).ok()),
    };
    EarlyReturn::of(method, figures).map_err(|trouble| refusal(given, trouble))
}

/// A percentage beside a method, where nothing is none.
fn part(given: &mut Given) -> Result<Option<Percent>, Refusal> {
    match percent(given, "percent")? {
        Some(None) => Err(given.refuse("percent", "out_of_range", "it has to be more than 0.")),
        Some(Some(percent)) => Ok(Some(percent)),
        None => Ok(None),
    }
}

fn percent(given: &mut Given, name: &'static str) -> Result<Option<Option<Percent>>, Refusal> {
    let Some(text) = given.text(name)? else { return Ok(None) };
    let why = "it has to be a percentage from 0 to 100 with at most two decimals, as `\"9.5\"`.";
    parse_percent(&text).map(Some).ok_or_else(|| given.refuse(name, "out_of_range", why))
}

fn refusal(given: &Given, trouble: FigureTrouble) -> Refusal {
    let (figure, code, why) = match trouble {
        FigureTrouble::Needs(figure) => (figure, "missing_parameter", "the method needs it."),
        FigureTrouble::HasNoUseFor(figure) => (figure, "unknown_parameter", "the method has no use for it."),
        FigureTrouble::OutOfRange(figure) => (figure, "out_of_range", "it is too small or too large."),
    };
    let name = match figure {
        Figure::Percent => "percent",
        Figure::Amount => "amount",
        Figure::Days => "days",
    };
    given.refuse(name, code, why)
}

fn object(account: &Account) -> Object {
    let UnitSettings {
        tenant,
        tax_rate,
        tax_inclusive,
        default_contract_length,
        require_order_confirmation,
        buyout,
        early_return,
    } = &account.unit;
    let (buyout, buyout_figures) = buyout.parts();
    let (early_return, early_return_figures) = early_return.parts();
    Object::new()
        .and("object", "unit")
        .and("account", account.id.as_str().to_owned())
        .and("tenant_id", tenant.as_ref().map(|tenant: &TenantId| tenant.as_str().to_owned()))
        .and("currency", account.default_currency.to_string())
        .and("tax_rate", tax_rate.map_or("0".to_owned(), percent_text))
        .and("tax_inclusive", *tax_inclusive)
        .and("default_contract_length", default_contract_length.map(i64::from))
        .and("require_order_confirmation", *require_order_confirmation)
        .and("buyout", method(buyout.as_str(), buyout_figures))
        .and("early_return", method(early_return.as_str(), early_return_figures))
}

/// A method with the numbers that it has.
fn method(name: &'static str, figures: Figures) -> Json {
    let Figures { percent, amount, days } = figures;
    let mut object = Object::new().and("method", name);
    if let Some(percent) = percent {
        object.add("percent", percent_text(percent));
    }
    if let Some(amount) = amount {
        object.add("amount", amount);
    }
    if let Some(days) = days {
        object.add("days", i64::from(days));
    }
    object.into()
}
