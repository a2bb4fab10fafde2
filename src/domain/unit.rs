//! The business unit that an account is for those who rent out: by which name it is known, how it taxes and what it asks for
//! when a contract ends before its time. Its currency is the account's, which never changes.

use std::fmt;

use super::coupon::Percent;
use super::words::words;

/// The most characters of a tenant id; as many as a sandbox's name may have, which is one in dev.
pub const MAX_TENANT_ID: usize = 200;
/// The longest contract, in months.
pub const MAX_CONTRACT_MONTHS: u16 = 120;
/// The longest grace after the start of a contract, in days.
pub const MAX_GRACE_DAYS: u16 = 366;
/// The highest flat fee, in minor units.
pub const MAX_FEE: i64 = 99_999_999;

/// The name of a business unit, which requests give beside their key. It finds nothing by itself: the key's account has to
/// have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantId(String);

impl TenantId {
    /// The id of that text: letters, digits, `_`, `-` and `.`, at most [`MAX_TENANT_ID`] of them.
    pub fn parse(text: &str) -> Option<TenantId> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        (plain && !text.is_empty() && text.len() <= MAX_TENANT_ID).then(|| TenantId(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a business unit does its business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitSettings {
    /// What it is called by; without one nobody can ask for it.
    pub tenant: Option<TenantId>,
    /// The part of a price that is tax, or is added as tax; `None` for no tax.
    pub tax_rate: Option<Percent>,
    /// Prices include the tax.
    pub tax_inclusive: bool,
    /// How many months an order is for when it does not say, from 1 to [`MAX_CONTRACT_MONTHS`]; `None` for the shortest
    /// length that the variant has a price for.
    pub default_contract_length: Option<u16>,
    /// Something is rented out on a confirmed order only.
    pub require_order_confirmation: bool,
    /// What it costs to keep what was rented.
    pub buyout: Buyout,
    /// What it costs to give it back before its time.
    pub early_return: EarlyReturn,
}

impl Default for UnitSettings {
    fn default() -> UnitSettings {
        UnitSettings {
            tenant: None,
            tax_rate: None,
            tax_inclusive: false,
            default_contract_length: None,
            require_order_confirmation: false,
            buyout: Buyout::RemainingMonths,
            early_return: EarlyReturn::RemainingPercentage(half()),
        }
    }
}

fn half() -> Percent {
    Percent::of_hundredths(5_000).expect("half is a part")
}

/// A wish to change a unit's settings: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitChange {
    /// What it is called by.
    pub tenant: Option<TenantId>,
    /// The tax; `Some(None)` for no tax.
    pub tax_rate: Option<Option<Percent>>,
    /// Whether prices include it.
    pub tax_inclusive: Option<bool>,
    /// Months; `Some(None)` for the shortest that there is a price for.
    pub default_contract_length: Option<Option<u16>>,
    /// Whether orders have to be confirmed.
    pub require_order_confirmation: Option<bool>,
    /// What it costs to keep what was rented.
    pub buyout: Option<Buyout>,
    /// What it costs to give it back before its time.
    pub early_return: Option<EarlyReturn>,
}

impl UnitSettings {
    /// The settings as the change wants them.
    pub fn with(&self, change: UnitChange) -> UnitSettings {
        let UnitChange {
            tenant,
            tax_rate,
            tax_inclusive,
            default_contract_length,
            require_order_confirmation,
            buyout,
            early_return,
        } = change;
        UnitSettings {
            tenant: tenant.or_else(|| self.tenant.clone()),
            tax_rate: tax_rate.unwrap_or(self.tax_rate),
            tax_inclusive: tax_inclusive.unwrap_or(self.tax_inclusive),
            default_contract_length: default_contract_length.unwrap_or(self.default_contract_length),
            require_order_confirmation: require_order_confirmation.unwrap_or(self.require_order_confirmation),
            buyout: buyout.unwrap_or(self.buyout),
            early_return: early_return.unwrap_or(self.early_return),
        }
    }
}

/// The part that a text like `21` or `9.5` says, from 0 to 100 with at most two decimals: `Some(None)` for nothing.
pub fn parse_percent(text: &str) -> Option<Option<Percent>> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str, most: usize| {
        (!text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
    };
    digits(whole, 3)?;
    digits(decimals, 2)?;
    let hundredths = whole.parse::<i64>().ok()? * 100 + format!("{decimals:0<2}").parse::<i64>().ok()?;
    match hundredths {
        0 => Some(None),
        _ => Percent::of_hundredths(hundredths).map(Some),
    }
}

/// A part as people write it: `21`, `9.5`.
pub fn percent_text(percent: Percent) -> String {
    let (whole, hundredths) = (percent.hundredths() / 100, percent.hundredths() % 100);
    match hundredths {
        0 => whole.to_string(),
        _ => format!("{whole}.{hundredths:02}").trim_end_matches('0').to_owned(),
    }
}

/// How the price is found at which a customer keeps what was rented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buyout {
    /// So much, in minor units of the account's currency, from 0 to [`MAX_FEE`].
    Flat(i64),
    /// All that is still to be paid until the end of the contract.
    RemainingMonths,
    /// A part of the list price.
    ListPercentage(Percent),
    /// All that is still to be paid, and a part of the list price.
    RemainingAndListPercentage(Percent),
}

/// How the fee is found for giving something back before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyReturn {
    /// Nothing.
    Free,
    /// So much, in minor units of the account's currency, from 0 to [`MAX_FEE`].
    Flat(i64),
    /// All that is still to be paid until the end of the contract.
    RemainingMonths,
    /// A part of what is still to be paid.
    RemainingPercentage(Percent),
    /// Nothing for so many days after the start, at most [`MAX_GRACE_DAYS`]; afterwards all that is still to be paid.
    Grace(u16),
}

words! {
    /// The ways to find the price of a buyout.
    pub enum BuyoutMethod {
        /// A fixed amount.
        Flat = "flat",
        /// What is still to be paid.
        RemainingMonths = "remaining_months",
        /// A part of the list price.
        ListPercentage = "list_percentage",
        /// Both.
        RemainingAndListPercentage = "remaining_and_list_percentage",
    }
}

words! {
    /// The ways to find the fee of an early return.
    pub enum EarlyReturnMethod {
        /// None.
        Free = "free",
        /// A fixed amount.
        Flat = "flat",
        /// What is still to be paid.
        RemainingMonths = "remaining_months",
        /// A part of what is still to be paid.
        RemainingPercentage = "remaining_percentage",
        /// Nothing soon after the start.
        Grace = "grace",
    }
}

/// The numbers that a method may need: a part, an amount in minor units, a number of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// A part.
    pub percent: Option<Percent>,
    /// An amount in minor units.
    pub amount: Option<i64>,
    /// Days.
    pub days: Option<u16>,
}

/// What is wrong with a method and the numbers that were given with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureTrouble {
    /// It needs one that is not there.
    Needs(Figure),
    /// It does nothing with one that is there.
    HasNoUseFor(Figure),
    /// It is too small or too large.
    OutOfRange(Figure),
}

words! {
    /// A number beside a method.
    pub enum Figure {
        /// A part.
        Percent = "percent",
        /// An amount.
        Amount = "amount",
        /// Days.
        Days = "days",
    }
}

impl Figures {
    /// Refuses what is given beside `used`.
    fn only(&self, used: Option<Figure>) -> Result<(), FigureTrouble> {
        let given = [
            (Figure::Percent, self.percent.is_some()),
            (Figure::Amount, self.amount.is_some()),
            (Figure::Days, self.days.is_some()),
        ];
        match given.into_iter().find(|(figure, given)| *given && Some(*figure) != used) {
            Some((figure, _)) => Err(FigureTrouble::HasNoUseFor(figure)),
            None => Ok(()),
        }
    }

    fn percent(&self) -> Result<Percent, FigureTrouble> {
        self.only(Some(Figure::Percent))?;
        self.percent.ok_or(FigureTrouble::Needs(Figure::Percent))
    }

    fn amount(&self) -> Result<i64, FigureTrouble> {
        self.only(Some(Figure::Amount))?;
        let amount = self.amount.ok_or(FigureTrouble::Needs(Figure::Amount))?;
        Some(amount).filter(|amount| (0..=MAX_FEE).contains(amount)).ok_or(FigureTrouble::OutOfRange(Figure::Amount))
    }

    fn days(&self) -> Result<u16, FigureTrouble> {
        self.only(Some(Figure::Days))?;
        let days = self.days.ok_or(FigureTrouble::Needs(Figure::Days))?;
        Some(days).filter(|days| *days <= MAX_GRACE_DAYS).ok_or(FigureTrouble::OutOfRange(Figure::Days))
    }
}

impl Buyout {
    /// The method with its numbers: each needs its own and no other.
    pub fn of(method: BuyoutMethod, figures: Figures) -> Result<Buyout, FigureTrouble> {
        match method {
            BuyoutMethod::Flat => figures.amount().map(Buyout::Flat),
            BuyoutMethod::RemainingMonths => figures.only(None).map(|()| Buyout::RemainingMonths),
            BuyoutMethod::ListPercentage => figures.percent().map(Buyout::ListPercentage),
            BuyoutMethod::RemainingAndListPercentage => figures.percent().map(Buyout::RemainingAndListPercentage),
        }
    }

    /// The method and its numbers.
    pub fn parts(self) -> (BuyoutMethod, Figures) {
        let none = Figures::default();
        match self {
            Buyout::Flat(amount) => (BuyoutMethod::Flat, Figures { amount: Some(amount), ..none }),
            Buyout::RemainingMonths => (BuyoutMethod::RemainingMonths, none),
            Buyout::ListPercentage(percent) => {
                (BuyoutMethod::ListPercentage, Figures { percent: Some(percent), ..none })
            }
            Buyout::RemainingAndListPercentage(percent) => {
                (BuyoutMethod::RemainingAndListPercentage, Figures { percent: Some(percent), ..none })
            }
        }
    }
}

impl EarlyReturn {
    /// The method with its numbers: each needs its own and no other.
    pub fn of(method: EarlyReturnMethod, figures: Figures) -> Result<EarlyReturn, FigureTrouble> {
        match method {
            EarlyReturnMethod::Free => figures.only(None).map(|()| EarlyReturn::Free),
            EarlyReturnMethod::Flat => figures.amount().map(EarlyReturn::Flat),
            EarlyReturnMethod::RemainingMonths => figures.only(None).map(|()| EarlyReturn::RemainingMonths),
            EarlyReturnMethod::RemainingPercentage => figures.percent().map(EarlyReturn::RemainingPercentage),
            EarlyReturnMethod::Grace => figures.days().map(EarlyReturn::Grace),
        }
    }

    /// The method and its numbers.
    pub fn parts(self) -> (EarlyReturnMethod, Figures) {
        let none = Figures::default();
        match self {
            EarlyReturn::Free => (EarlyReturnMethod::Free, none),
            EarlyReturn::Flat(amount) => (EarlyReturnMethod::Flat, Figures { amount: Some(amount), ..none }),
            EarlyReturn::RemainingMonths => (EarlyReturnMethod::RemainingMonths, none),
            EarlyReturn::RemainingPercentage(percent) => {
                (EarlyReturnMethod::RemainingPercentage, Figures { percent: Some(percent), ..none })
            }
            EarlyReturn::Grace(days) => (EarlyReturnMethod::Grace, Figures { days: Some(days), ..none }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_is_plain_text() {
        for good in ["nl", "bu_1", "case", "a.b-c", &"x".repeat(MAX_TENANT_ID)] {
            assert_eq!(TenantId::parse(good).expect(good).as_str(), good);
        }
        for bad in ["", "a b", "ä", "a/b", &"x".repeat(MAX_TENANT_ID + 1)] {
            assert_eq!(TenantId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_method_takes_its_own_number_and_no_other() {
        let percent = Figures { percent: Some(half()), ..Figures::default() };
        let amount = |amount| Figures { amount: Some(amount), ..Figures::default() };
        let days = |days| Figures { days: Some(days), ..Figures::default() };
        assert_eq!(Buyout::of(BuyoutMethod::ListPercentage, percent), Ok(Buyout::ListPercentage(half())));
        assert_eq!(
            Buyout::of(BuyoutMethod::ListPercentage, Figures::default()),
            Err(FigureTrouble::Needs(Figure::Percent))
        );
        assert_eq!(
            Buyout::of(BuyoutMethod::RemainingMonths, percent),
            Err(FigureTrouble::HasNoUseFor(Figure::Percent))
        );
        assert_eq!(Buyout::of(BuyoutMethod::Flat, amount(-1)), Err(FigureTrouble::OutOfRange(Figure::Amount)));
        assert_eq!(EarlyReturn::of(EarlyReturnMethod::Grace, days(14)), Ok(EarlyReturn::Grace(14)));
        assert_eq!(
            EarlyReturn::of(EarlyReturnMethod::Grace, days(MAX_GRACE_DAYS + 1)),
            Err(FigureTrouble::OutOfRange(Figure::Days))
        );
        assert_eq!(
            EarlyReturn::of(EarlyReturnMethod::Flat, Figures { amount: Some(5), ..percent }),
            Err(FigureTrouble::HasNoUseFor(Figure::Percent))
        );
    }

    #[test]
    fn percentages_are_read_and_written_as_people_do() {
        for (text, hundredths) in [("21", 2_100), ("9.5", 950), ("0.01", 1), ("100", 10_000), ("7.25", 725)] {
            let percent = parse_percent(text).expect(text).expect(text);
            assert_eq!((percent.hundredths(), percent_text(percent).as_str()), (hundredths, text));
        }
        assert_eq!(parse_percent("0"), Some(None));
        assert_eq!(parse_percent("0.00"), Some(None));
        for bad in ["", ".5", "5.", "-1", "1.005", "100.01", "1e2", "ten", "5%"] {
            assert_eq!(parse_percent(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let before = UnitSettings { tenant: TenantId::parse("nl"), tax_rate: Some(half()), ..UnitSettings::default() };
        assert_eq!(before.with(UnitChange::default()), before);
        let change = UnitChange { tax_rate: Some(None), buyout: Some(Buyout::Flat(5)), ..UnitChange::default() };
        let after = before.with(change);
        assert_eq!((after.tenant, after.tax_rate, after.buyout), (before.tenant, None, Buyout::Flat(5)));
    }

    #[test]
    fn parts_make_the_whole_again() {
        for buyout in [
            Buyout::Flat(0),
            Buyout::RemainingMonths,
            Buyout::ListPercentage(half()),
            Buyout::RemainingAndListPercentage(half()),
        ] {
            let (method, figures) = buyout.parts();
            assert_eq!(Buyout::of(method, figures), Ok(buyout));
        }
        for early in [
            EarlyReturn::Free,
            EarlyReturn::Flat(MAX_FEE),
            EarlyReturn::RemainingMonths,
            EarlyReturn::RemainingPercentage(half()),
            EarlyReturn::Grace(0),
        ] {
            let (method, figures) = early.parts();
            assert_eq!(EarlyReturn::of(method, figures), Ok(early));
        }
    }
}
