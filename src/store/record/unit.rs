//! The shape of a business unit's settings, a part of its account. What is not written is as it is by default, so accounts
//! from before there were units are units too.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Text, Unreadable, is_default, word};
use crate::domain::coupon::Percent;
use crate::domain::unit::{
    Buyout, BuyoutMethod, EarlyReturn, EarlyReturnMethod, Figures, MAX_CONTRACT_MONTHS, TenantId, UnitSettings,
};

#[derive(Default, PartialEq, Serialize, Deserialize)]
pub(super) struct UnitShape<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<Text<'a>>,
    /// Hundredths of a percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_rate: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    tax_inclusive: bool,
    /// Months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_contract_length: Option<u16>,
    #[serde(default, skip_serializing_if = "is_default")]
    require_order_confirmation: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    buyout: Option<MethodShape<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    early_return: Option<MethodShape<'a>>,
}

/// A method by its word, with its numbers.
#[derive(PartialEq, Serialize, Deserialize)]
struct MethodShape<'a> {
    method: Text<'a>,
    /// Hundredths of a percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<i64>,
    /// Minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u16>,
}

impl MethodShape<'static> {
    fn of(method: &'static str, figures: Figures) -> MethodShape<'static> {
        let Figures { percent, amount, days } = figures;
        MethodShape { method: Cow::Borrowed(method), percent: percent.map(Percent::hundredths), amount, days }
    }
}

impl MethodShape<'_> {
    fn figures(&self) -> Result<Figures, Unreadable> {
        Ok(Figures { percent: self.percent.map(read_percent).transpose()?, amount: self.amount, days: self.days })
    }
}

impl<'a> From<&'a UnitSettings> for UnitShape<'a> {
    fn from(unit: &'a UnitSettings) -> UnitShape<'a> {
        let UnitSettings {
            tenant,
            tax_rate,
            tax_inclusive,
            default_contract_length,
            require_order_confirmation,
            buyout,
            early_return,
        } = unit;
        let usual = UnitSettings::default();
        let buyout = (*buyout != usual.buyout).then(|| {
            let (method, figures) = buyout.parts();
            MethodShape::of(method.as_str(), figures)
        });
        let early_return = (*early_return != usual.early_return).then(|| {
            let (method, figures) = early_return.parts();
            MethodShape::of(method.as_str(), figures)
        });
        UnitShape {
            tenant: tenant.as_ref().map(|tenant| Cow::Borrowed(tenant.as_str())),
            tax_rate: tax_rate.map(Percent::hundredths),
            tax_inclusive: *tax_inclusive,
            default_contract_length: *default_contract_length,
            require_order_confirmation: *require_order_confirmation,
            buyout,
            early_return,
        }
    }
}

impl UnitShape<'_> {
    pub(super) fn into_unit(self) -> Result<UnitSettings, Unreadable> {
        let UnitShape {
            tenant,
            tax_rate,
            tax_inclusive,
            default_contract_length,
            require_order_confirmation,
            buyout,
            early_return,
        } = self;
        let usual = UnitSettings::default();
        let months = default_contract_length;
        if months.is_some_and(|months| !(1..=MAX_CONTRACT_MONTHS).contains(&months)) {
            return Err(Unreadable::UnknownWord("contract length"));
        }
        Ok(UnitSettings {
            tenant: tenant.map(|text| read_tenant(&text)).transpose()?,
            tax_rate: tax_rate.map(read_percent).transpose()?,
            tax_inclusive,
            default_contract_length,
            require_order_confirmation,
            buyout: buyout.map_or(Ok(usual.buyout), |shape| read_buyout(&shape))?,
            early_return: early_return.map_or(Ok(usual.early_return), |shape| read_early_return(&shape))?,
        })
    }
}

fn read_tenant(text: &str) -> Result<TenantId, Unreadable> {
    TenantId::parse(text).ok_or(Unreadable::UnknownWord("tenant id"))
}

fn read_percent(hundredths: i64) -> Result<Percent, Unreadable> {
    Percent::of_hundredths(hundredths).ok_or(Unreadable::UnknownWord("percentage"))
}

fn read_buyout(shape: &MethodShape<'_>) -> Result<Buyout, Unreadable> {
    let method = word("buyout method", &shape.method, BuyoutMethod::named)?;
    Buyout::of(method, shape.figures()?).map_err(|_| Unreadable::UnknownWord("buyout"))
}

fn read_early_return(shape: &MethodShape<'_>) -> Result<EarlyReturn, Unreadable> {
    let method = word("early return method", &shape.method, EarlyReturnMethod::named)?;
    EarlyReturn::of(method, shape.figures()?).map_err(|_| Unreadable::UnknownWord("early return"))
}
