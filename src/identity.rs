//! Digests that stand for things: where an account's rows are, which account a sandbox is, what an API key is known by.

use sha2::{Digest, Sha256};

use crate::domain::account::{Mode, Space};
use crate::domain::api_key::{Access, KeyDigest, KeyKind, Resource};
use crate::domain::ids::{AccountId, crockford};

/// Where the rows of an account in one mode are.
pub fn space(parent: Option<&AccountId>, id: &AccountId, mode: Mode) -> Space {
    let digest = Sha256::new()
        .chain_update(b"cusp space\0")
        .chain_update(parent.map_or("", AccountId::as_str))
        .chain_update(b"\0")
        .chain_update(id.as_str())
        .chain_update(b"\0")
        .chain_update(mode.as_str())
        .finalize();
    Space(i64::from_be_bytes(digest[..8].try_into().expect("a digest has eight bytes")))
}

/// The account that a developer's sandbox of that name is.
pub fn sandbox(name: &str) -> AccountId {
    let digest = Sha256::new().chain_update(b"cusp sandbox\0").chain_update(name).finalize();
    let number = u128::from_be_bytes(digest[..16].try_into().expect("a digest has sixteen bytes"));
    AccountId(format!("acct_{}", crockford(number)))
}

/// What an API key is known by.
pub fn key_digest(key: &str) -> KeyDigest {
    Sha256::digest(key).into()
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
                KeyKind::Restricted(Resource::ALL.into_iter().map(|resource| (resource, Access::Write)).collect())
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

    /// The account that an operator's key says it belongs to.
    pub fn account(&self) -> Option<AccountId> {
        let (id, secret) = self.rest.split_at_checked(26)?;
        (!secret.is_empty()).then(|| AccountId(format!("acct_{id}")))
    }
}
