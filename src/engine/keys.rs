//! API keys: create, read, revoke, list. A key is shown once and kept as a digest.

use crate::domain::account::Space;
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::time::Time;
use crate::store::{Kept, Read, Tx};

/// Keeps a new key.
pub fn create(tx: &mut dyn Tx, space: Space, key: &ApiKey) -> Kept<()> {
    tx.put_api_key(space, key)
}

/// The key of that digest, revoked or not.
pub fn read(tx: &mut dyn Read, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
    tx.api_key(space, digest)
}

/// Every key of every account, oldest first.
pub fn list(tx: &mut dyn Read) -> Kept<Vec<ApiKey>> {
    tx.api_keys()
}

/// Makes a key open nothing from `now` on. Revoking it again changes nothing.
pub fn revoke(tx: &mut dyn Tx, space: Space, key: &ApiKey, now: Time) -> Kept<ApiKey> {
    let revoked = ApiKey { revoked: key.revoked.or(Some(now)), ..key.clone() };
    tx.put_api_key(space, &revoked)?;
    Ok(revoked)
}
