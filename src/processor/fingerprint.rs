//! Fingerprints: equal numbers have equal ones within an account, and one tells nothing of its number to whoever lacks the
//! account's key. They are stored, so how they are made never changes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::account::FingerprintKey;
use crate::domain::card::Fingerprint;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters and digits of a fingerprint, 95 bits.
const LENGTH: usize = 16;

/// The fingerprint of what these parts say together.
pub fn fingerprint(key: &FingerprintKey, parts: &[&str]) -> Fingerprint {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    let digest = mac.finalize().into_bytes();
    let mut number = u128::from_be_bytes(std::array::from_fn(|place| digest[place]));
    let mut word = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        word.push(char::from(LETTERS[(number % 62) as usize]));
        number /= 62;
    }
    Fingerprint(word)
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::domain::account::FingerprintKey;

    #[test]
    fn fingerprints_never_change_because_they_are_stored() {
        let key = FingerprintKey::new([7; 32]);
        // HMAC-SHA256 of each part's length in eight bytes and the part; the first 16 bytes in base 62, least digit first.
        assert_eq!(fingerprint(&key, &["card", "4242424242424242"]).0, "CKEEj7Jecd75IbAr");
        assert_ne!(fingerprint(&key, &["card", "4242"]), fingerprint(&FingerprintKey::new([8; 32]), &["card", "4242"]));
        assert_ne!(fingerprint(&key, &["a", "bc"]), fingerprint(&key, &["ab", "c"]));
    }
}
