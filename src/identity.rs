//! What follows from a name or a key alone: where an account's rows are, whose a key is, under what digest it is kept.
//! These derivations are part of what is on disk; they never change.

use sha2::{Digest, Sha256};

use crate::domain::account::{Account, Mode, Space};
use crate::domain::api_key::{Access, ApiKey, KeyDigest, KeyKind, Resource};
use crate::domain::ids::{AccountId, IdSource, SnapshotId, crockford};
use crate::domain::money::Currency;
use crate::domain::time::Time;
use crate::domain::unit::UnitSettings;

/// Characters of a key between its prefix and its secret: those of its account's id after `acct_`.
const OWNER_LENGTH: usize = 26;
/// Characters of a key's secret, five random bits each.
const SECRET_LENGTH: usize = 32;

/// Where the rows of an account in one mode are.
pub fn space(parent: Option<&AccountId>, id: &AccountId, mode: Mode) -> Space {
    let digest = Sha256::new()
        .chain_update("cusp space\0")
        .chain_update(parent.map_or("", AccountId::as_str))
        .chain_update("\0")
        .chain_update(id.as_str())
        .chain_update("\0")
        .chain_update(mode.as_str())
        .finalize();
    Space(i64::from_be_bytes(std::array::from_fn(|place| digest[place])))
}

/// Where a snapshot of a sandbox is. No key opens it: no account has such an id.
pub fn snapshot(account: &Account, id: &SnapshotId) -> Space {
    space(None, &AccountId(format!("snapshot:{}:{id}", account.space.0)), account.mode)
}

/// The account of the sandbox that a developer calls `name`.
pub fn sandbox(name: &str) -> AccountId {
    let digest = Sha256::new().chain_update("cusp sandbox\0").chain_update(name).finalize();
    let number = u128::from_be_bytes(std::array::from_fn(|place| digest[place]));
    AccountId(format!("acct_{}", crockford(number)))
}

/// An account as it is before anybody says anything about it.
pub fn fresh_account(id: AccountId, parent: Option<AccountId>, mode: Mode, now: Time, api_version: &str) -> Account {
    Account {
        space: space(parent.as_ref(), &id, mode),
        other_space: space(parent.as_ref(), &id, mode.other()),
        id,
        parent,
        mode,
        created: now,
        display_name: None,
        default_currency: first_currency(),
        country: "US".into(),
        api_version: api_version.into(),
        fingerprint_key: None,
        snapshots: Vec::new(),
        unit: UnitSettings::default(),
    }
}

/// The currency of an account before anybody says another.
pub fn first_currency() -> Currency {
    Currency::parse("usd").expect("the US dollar is supported")
}

/// The same account in the other mode.
pub fn other_mode(account: &Account) -> Account {
    Account {
        mode: account.mode.other(),
        space: account.other_space,
        other_space: account.space,
        // A mode has its own.
        fingerprint_key: None,
        snapshots: Vec::new(),
        ..account.clone()
    }
}

/// The digest under which a key is kept.
pub fn key_digest(key: &str) -> KeyDigest {
    Sha256::digest(key).into()
}

/// A new key for an account: its text, to be shown once, and what is kept of it.
pub fn fresh_key(
    ids: &dyn IdSource,
    now: Time,
    account: &Account,
    kind: KeyKind,
    label: Option<String>,
) -> (String, ApiKey) {
    let prefix = match kind {
        KeyKind::Secret => "sk",
        KeyKind::Restricted(_) => "rk",
        KeyKind::Publishable => "pk",
    };
    let owner = account.id.as_str().trim_start_matches("acct_");
    let text = format!("{prefix}_{}_{owner}{}", account.mode.as_str(), secret(ids));
    let key = ApiKey {
        digest: key_digest(&text),
        account: account.id.clone(),
        mode: account.mode,
        kind,
        label,
        last4: text[text.len() - 4..].into(),
        created: now,
        revoked: None,
    };
    (text, key)
}

/// What a key's text says about itself: `sk_test_…`, `rk_live_…`, `pk_test_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyParts<'a> {
    /// Its sort.
    pub kind: KeySort,
    /// The mode it opens.
    pub mode: Mode,
    /// What follows: in a developer's key the sandbox's name, else the account and the secret.
    pub rest: &'a str,
}

/// The sort of a key, by its first letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySort {
    /// `sk_`
    Secret,
    /// `rk_`
    Restricted,
    /// `pk_`
    Publishable,
}

impl KeySort {
    /// A key of that sort that may do all that its sort can.
    pub fn unlimited(self) -> KeyKind {
        match self {
            KeySort::Secret => KeyKind::Secret,
            KeySort::Publishable => KeyKind::Publishable,
            KeySort::Restricted => {
                KeyKind::Restricted(Resource::ALL.iter().map(|resource| (*resource, Access::Write)).collect())
            }
        }
    }
}

/// The longest name of a sandbox, in characters.
pub const MAX_SANDBOX_NAME: usize = 200;

impl<'a> KeyParts<'a> {
    /// The parts of a key's text; `None` when it is not a key's.
    pub fn of(key: &'a str) -> Option<KeyParts<'a>> {
        let (sort, rest) = key.split_at_checked(3)?;
        let kind = match sort {
            "sk_" => KeySort::Secret,
            "rk_" => KeySort::Restricted,
            "pk_" => KeySort::Publishable,
            _ => return None,
        };
        let (mode, rest) = match rest.split_at_checked(5)? {
            ("test_", rest) => (Mode::Test, rest),
            ("live_", rest) => (Mode::Live, rest),
            _ => return None,
        };
        let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        (plain && !rest.is_empty() && rest.len() <= MAX_SANDBOX_NAME).then_some(KeyParts { kind, mode, rest })
    }

    /// The account that an operator's key, one made by `fresh_key`, says it belongs to. Whether there is such a key is
    /// for its digest to say.
    pub fn account(&self) -> Option<AccountId> {
        let shaped = self.rest.len() == OWNER_LENGTH + SECRET_LENGTH
            && self.rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
        shaped.then(|| AccountId(format!("acct_{}", &self.rest[..OWNER_LENGTH])))
    }
}

/// Two times the last 16 characters of 128 random bits, which are 80 of them.
fn secret(ids: &dyn IdSource) -> String {
    let half = || {
        let mut bytes = [0; 16];
        ids.random(&mut bytes);
        crockford(u128::from_be_bytes(bytes))[OWNER_LENGTH - SECRET_LENGTH / 2..].to_string()
    };
    half() + &half()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Ids;

    fn account(mode: Mode) -> Account {
        fresh_account(AccountId::mint(&Ids::seeded(1), Time(1)), None, mode, Time(1), "today")
    }

    #[test]
    fn spaces_never_change_because_rows_are_kept_under_them() {
        let (parent, id) = (AccountId("acct_1".into()), AccountId("acct_2".into()));
        // printf 'cusp space\0acct_1\0acct_2\0test' | sha256sum, the first eight bytes
        assert_eq!(space(Some(&parent), &id, Mode::Test), Space(-2_501_838_164_689_128_655));
        // printf 'cusp space\0\0acct_2\0live' | sha256sum
        assert_eq!(space(None, &id, Mode::Live), Space(2_325_576_114_713_451_504));
    }

    #[test]
    fn a_sandbox_is_always_the_same_account() {
        // printf 'cusp sandbox\0ada' | sha256sum, the first sixteen bytes in base 32
        assert_eq!(sandbox("ada").as_str(), "acct_1zbszjftjw1p8kd5h6ws9p6tvy");
        assert_ne!(sandbox("ada"), sandbox("Ada"));
    }

    #[test]
    fn the_two_modes_of_an_account_know_each_other() {
        let (test, live) = (account(Mode::Test), account(Mode::Live));
        assert_ne!(test.space, live.space);
        assert_eq!(other_mode(&test), live);
        assert_eq!(other_mode(&live), test);
    }

    #[test]
    fn a_key_tells_whose_it_is_and_nothing_kept_of_it_opens_anything() {
        for (mode, kind, prefix) in [
            (Mode::Test, KeyKind::Secret, "sk_test_"),
            (Mode::Live, KeyKind::Restricted(Default::default()), "rk_live_"),
            (Mode::Live, KeyKind::Publishable, "pk_live_"),
        ] {
            let account = account(mode);
            let (text, key) = fresh_key(&Ids::seeded(2), Time(9), &account, kind, None);
            assert!(text.starts_with(prefix), "{text}");
            let parts = KeyParts::of(&text).unwrap();
            assert_eq!((parts.account(), parts.mode), (Some(account.id.clone()), mode));
            assert_eq!(key.digest, key_digest(&text));
            assert!(text.ends_with(&key.last4) && key.last4.len() == 4);
            assert!(!format!("{key:?}").contains(&text[text.len() - SECRET_LENGTH..]));
        }
    }

    #[test]
    fn no_two_keys_are_alike() {
        let (ids, account) = (Ids::random(), account(Mode::Test));
        let key = || fresh_key(&ids, Time(9), &account, KeyKind::Secret, None).0;
        let (one, two) = (key(), key());
        assert_ne!(one[one.len() - 16..], two[two.len() - 16..]);
        assert_ne!(one[one.len() - 32..one.len() - 16], one[one.len() - 16..]);
        assert_eq!(one.len(), "sk_test_".len() + 58);
    }

    #[test]
    fn what_is_not_shaped_like_a_key_has_no_owner() {
        let rest = "0".repeat(58);
        let owner = |key: &str| KeyParts::of(key).and_then(|parts| parts.account());
        assert!(owner(&format!("sk_test_{rest}")).is_some());
        for not in ["", "sk", "sk_test_ada", "sk_test_", "acct_1", "é€_test_x"] {
            assert_eq!(owner(not), None, "{not}");
        }
        for not in [
            format!("sk_prod_{rest}"),
            format!("xk_test_{rest}"),
            format!("sk_test_{rest}0"),
            format!("sk_test_{}é", &rest[2..]),
            format!("sk_test_{}A", &rest[1..]),
        ] {
            assert_eq!(owner(&not), None, "{not}");
        }
    }
}
