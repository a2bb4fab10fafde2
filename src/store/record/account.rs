//! The shape of an account. Its space is not part of the body: the row's key says it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::customer::read_currency;
use super::unit::UnitShape;
use super::{Text, Unreadable, borrowed, is_default, owned, parse, shape_of, write};
use crate::domain::account::{Account, FingerprintKey, Mode, Space};
use crate::domain::ids::{AccountId, SnapshotId};
use crate::domain::snapshot::{KeptUnit, Snapshot};
use crate::domain::time::Time;

/// The body of an account.
pub fn write_account(account: &Account) -> String {
    write(&AccountShape::from(account))
}

/// The account of a body and its space.
pub fn read_account(space: Space, body: &str) -> Result<Account, Unreadable> {
    match shape_of(body)? {
        1 => parse::<AccountShape<'static>>(body)?.into_account(space),
        unknown => Err(Unreadable::UnknownShape(unknown)),
    }
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
struct AccountShape<'a> {
    id: Text<'a>,
    other_space: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Text<'a>>,
    mode: ModeShape,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<Text<'a>>,
    default_currency: Text<'a>,
    country: Text<'a>,
    api_version: Text<'a>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint_key: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    snapshots: Vec<SnapshotShape<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    unit: UnitShape<'a>,
}

#[derive(Serialize, Deserialize)]
struct SnapshotShape<'a> {
    id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    created: i64,
    /// With its unit, or neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    unit: UnitShape<'a>,
}

impl<'a> From<&'a Snapshot> for SnapshotShape<'a> {
    fn from(snapshot: &'a Snapshot) -> SnapshotShape<'a> {
        let Snapshot { id, name, created, unit } = snapshot;
        SnapshotShape {
            id: Cow::Borrowed(id.as_str()),
            name: borrowed(name),
            created: created.0,
            currency: unit.as_ref().map(|KeptUnit { currency, settings: _ }| Cow::Borrowed(currency.as_str())),
            unit: unit.as_ref().map(|KeptUnit { currency: _, settings }| settings.into()).unwrap_or_default(),
        }
    }
}

impl SnapshotShape<'_> {
    fn into_snapshot(self) -> Result<Snapshot, Unreadable> {
        let SnapshotShape { id, name, created, currency, unit } = self;
        let settings = unit.into_unit()?;
        let currency = currency.map(|currency| read_currency(&currency)).transpose()?;
        Ok(Snapshot {
            id: SnapshotId(id.into_owned()),
            name: owned(name),
            created: Time(created),
            unit: currency.map(|currency| KeptUnit { currency, settings }),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeShape {
    Test,
    Live,
}

impl From<Mode> for ModeShape {
    fn from(mode: Mode) -> ModeShape {
        match mode {
            Mode::Test => ModeShape::Test,
            Mode::Live => ModeShape::Live,
        }
    }
}

impl From<ModeShape> for Mode {
    fn from(shape: ModeShape) -> Mode {
        match shape {
            ModeShape::Test => Mode::Test,
            ModeShape::Live => Mode::Live,
        }
    }
}

impl<'a> From<&'a Account> for AccountShape<'a> {
    fn from(account: &'a Account) -> AccountShape<'a> {
        let Account {
            space: _,
            other_space,
            id: AccountId(id),
            parent,
            mode,
            created,
            display_name,
            default_currency,
            country,
            api_version,
            fingerprint_key,
            snapshots,
            unit,
        } = account;
        AccountShape {
            id: Cow::Borrowed(id),
            other_space: other_space.0,
            parent: parent.as_ref().map(|AccountId(id)| Cow::Borrowed(id.as_str())),
            mode: (*mode).into(),
            created: created.0,
            display_name: borrowed(display_name),
            default_currency: Cow::Borrowed(default_currency.as_str()),
            country: Cow::Borrowed(country),
            api_version: Cow::Borrowed(api_version),
            fingerprint_key: fingerprint_key.as_ref().map(|key| BASE64.encode(key.bytes()).into()),
            snapshots: snapshots.iter().map(SnapshotShape::from).collect(),
            unit: unit.into(),
        }
    }
}

impl AccountShape<'_> {
    fn into_account(self, space: Space) -> Result<Account, Unreadable> {
        let AccountShape {
            id,
            other_space,
            parent,
            mode,
            created,
            display_name,
            default_currency,
            country,
            api_version,
            fingerprint_key,
            snapshots,
            unit,
        } = self;
        let fingerprint_key = fingerprint_key.map(|text| read_fingerprint_key(&text)).transpose()?;
        Ok(Account {
            space,
            other_space: Space(other_space),
            id: AccountId(id.into_owned()),
            parent: owned(parent).map(AccountId),
            mode: mode.into(),
            created: Time(created),
            display_name: owned(display_name),
            default_currency: read_currency(&default_currency)?,
            country: country.into_owned(),
            api_version: api_version.into_owned(),
            fingerprint_key,
            snapshots: snapshots.into_iter().map(SnapshotShape::into_snapshot).collect::<Result<_, _>>()?,
            unit: unit.into_unit()?,
        })
    }
}

fn read_fingerprint_key(text: &str) -> Result<FingerprintKey, Unreadable> {
    let bytes = BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(FingerprintKey::new).ok_or(Unreadable::UnknownWord("fingerprint key"))
}

#[cfg(test)]
mod tests {
    use super::{read_account, write_account};
    use crate::domain::account::{Account, FingerprintKey, Mode, Space};
    use crate::domain::coupon::Percent;
    use crate::domain::ids::{AccountId, SnapshotId};
    use crate::domain::money::Currency;
    use crate::domain::snapshot::{KeptUnit, Snapshot};
    use crate::domain::time::Time;
    use crate::domain::unit::{Buyout, EarlyReturn, TenantId, UnitSettings};

    fn percent(hundredths: i64) -> Percent {
        Percent::of_hundredths(hundredths).unwrap()
    }

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let plain = Account {
            space: Space(-7),
            other_space: Space(i64::MAX),
            id: AccountId("acct_1".into()),
            parent: None,
            mode: Mode::Test,
            created: Time(5),
            display_name: None,
            default_currency: Currency::parse("usd").unwrap(),
            country: "US".into(),
            api_version: "2025-01-27.acacia".into(),
            fingerprint_key: None,
            snapshots: Vec::new(),
            unit: UnitSettings::default(),
        };
        let snapshot = |name: Option<&str>| Snapshot {
            id: SnapshotId("snap_1".into()),
            name: name.map(String::from),
            created: Time(7),
            unit: name
                .map(|_| KeptUnit { currency: Currency::parse("jpy").unwrap(), settings: UnitSettings::default() }),
        };
        let full = Account {
            parent: Some(AccountId("acct_0".into())),
            mode: Mode::Live,
            display_name: Some("Rocket Rides".into()),
            fingerprint_key: Some(FingerprintKey::new(*b"a key of thirty-two random bytes")),
            snapshots: vec![snapshot(None), snapshot(Some("before \"it\""))],
            unit: UnitSettings {
                tenant: TenantId::parse("nl"),
                tax_rate: Percent::of_hundredths(2_100),
                tax_inclusive: true,
                default_contract_length: Some(12),
                require_order_confirmation: true,
                buyout: Buyout::Flat(30_000),
                early_return: EarlyReturn::Grace(14),
            },
            ..plain.clone()
        };
        let unit = UnitSettings { buyout: Buyout::ListPercentage(percent(1)), ..full.unit.clone() };
        let mut other = Account { unit, ..full.clone() };
        other.snapshots[0].unit = Some(KeptUnit::of(&full));
        for account in [plain, full, other] {
            assert_eq!(read_account(account.space, &write_account(&account)), Ok(account));
        }
    }

    #[test]
    fn an_account_from_before_there_were_units_is_one() {
        let body = r#"{"v":1,"id":"acct_1","other_space":2,"mode":"test","created":5,"default_currency":"usd","country":"US","api_version":"2025-01-27.acacia"}"#;
        let account = read_account(Space(1), body).unwrap();
        assert_eq!(account.unit, UnitSettings::default());
        assert_eq!(write_account(&account), body);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let body = |unit: &str| {
            format!(
                r#"{{"v":1,"id":"acct_1","other_space":2,"mode":"test","created":5,"default_currency":"usd","country":"US","api_version":"2025-01-27.acacia","unit":{unit}}}"#
            )
        };
        for unit in [
            r#"{"tenant":"a b"}"#,
            r#"{"tax_rate":0}"#,
            r#"{"default_contract_length":0}"#,
            r#"{"buyout":{"method":"barter"}}"#,
            r#"{"buyout":{"method":"flat"}}"#,
            r#"{"early_return":{"method":"grace","amount":3}}"#,
        ] {
            read_account(Space(1), &body(unit)).expect_err(unit);
        }
    }
}
