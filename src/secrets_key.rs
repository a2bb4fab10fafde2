//! The key that a server's own secrets are derived from, and the derivations. What is derived is kept nowhere, so these
//! derivations never change: they are what receivers of webhooks have been told.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::domain::webhook::Salt;

/// The bytes of a secrets key.
pub const KEY_BYTES: usize = 32;

/// The letters and digits of a secret.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters and digits taken of each half of the digest, 95 bits.
const LETTERS_PER_HALF: usize = 16;

/// The key that a server's own secrets are derived from. It is never printed, and wiped when it is let go of.
pub struct SecretsKey(Zeroizing<[u8; KEY_BYTES]>);

impl SecretsKey {
    /// The key of those bytes, which nobody can foretell. What they were copied from is for the caller to wipe.
    pub fn new(bytes: [u8; KEY_BYTES]) -> SecretsKey {
        SecretsKey(Zeroizing::new(bytes))
    }

    /// The key of a server that protects nothing: the same in every run, and another one for each seed.
    pub fn for_developers(seed: Option<u64>) -> SecretsKey {
        let digest = Sha256::new().chain_update("cusp dev secrets\0");
        let digest = match seed {
            Some(seed) => digest.chain_update(seed.to_be_bytes()),
            None => digest,
        };
        SecretsKey::new(digest.finalize().into())
    }

    /// The key that a text spells: 64 hexadecimal digits, or base64 (of either alphabet, padded or not), with blanks around
    /// it; `None` when it does not spell 32 bytes.
    pub fn parse(text: &str) -> Option<SecretsKey> {
        let text = text.trim_ascii();
        let bytes = if text.len() == KEY_BYTES * 2 { from_hex(text) } else { from_base64(text) }?;
        let mut key = SecretsKey::new([0; KEY_BYTES]);
        (bytes.len() == KEY_BYTES).then(|| key.0.copy_from_slice(&bytes))?;
        Some(key)
    }

    /// The key as 64 hexadecimal digits, for the file that it is kept in.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(KEY_BYTES * 2));
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        text
    }

    /// The seal of a text for that purpose, which only holders of the key can make: the HMAC-SHA256 of `seal`, a blank, the
    /// purpose, a zero byte and the text. No purpose has a zero byte.
    pub fn seal(&self, purpose: &str, text: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        for part in ["seal ", purpose, "\0"] {
            mac.update(part.as_bytes());
        }
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    /// The signing secret of a webhook endpoint, `whsec_` and 32 letters and digits as Stripe's are: 190 bits of the
    /// HMAC-SHA256 of `webhook secret`, a zero byte and the salt.
    pub fn webhook_secret(&self, salt: &Salt) -> Zeroizing<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        mac.update(b"webhook secret\0");
        mac.update(&salt.0);
        let digest = mac.finalize().into_bytes();
        let mut secret = Zeroizing::new(String::with_capacity(6 + 2 * LETTERS_PER_HALF));
        secret.push_str("whsec_");
        for half in digest.chunks(16) {
            let mut number = u128::from_be_bytes(std::array::from_fn(|place| half[place]));
            for _ in 0..LETTERS_PER_HALF {
                secret.push(char::from(LETTERS[(number % 62) as usize]));
                number /= 62;
            }
        }
        secret
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?));
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let forgiving = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = [&STANDARD, &URL_SAFE].map(|alphabet| GeneralPurpose::new(alphabet, forgiving).decode(text));
    decoded.into_iter().flatten().next().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::{KEY_BYTES, SecretsKey};
    use crate::domain::webhook::Salt;

    #[test]
    fn secrets_never_change_because_receivers_know_them() {
        // python3: digest = hmac.new(key, b"webhook secret\0" + salt, "sha256").digest(); of each half of it, as a number,
        // sixteen digits in base 62, the least first.
        let secret = |key, salt| SecretsKey::new(key).webhook_secret(&Salt(salt)).to_string();
        assert_eq!(secret([7; 32], [9; 32]), "whsec_CWkATLKMhlKzeIv0qUGvmlxdxQq1DnWk");
        assert_eq!(secret(std::array::from_fn(|place| place as u8), [0; 32]), "whsec_grmxAV8yV6j5TJULmPqZ7pYa5pxFjjvV");
    }

    #[test]
    fn seals_never_change_because_sessions_outlive_servers() {
        // python3: hmac.new(b"\x07" * 32, b"seal of something\0text", "sha256").hexdigest()
        let seal = SecretsKey::new([7; 32]).seal("of something", b"text");
        let hex: String = seal.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0279d1acd9867a556e67baf6cf5c6acee2d6ddb0cd815614477c06c157fc09c3");
    }

    #[test]
    fn developers_secrets_survive_restarts() {
        let hex = |seed| SecretsKey::for_developers(seed).to_hex().to_string();
        // printf 'cusp dev secrets\0' | sha256sum
        assert_eq!(hex(None), "89bb59b14e4cf352516b93ceec21420bf2982cf96ec1ed0d585e0ddd6df66283");
        // printf 'cusp dev secrets\0\0\0\0\0\0\0\0\x2a' | sha256sum
        assert_eq!(hex(Some(42)), "e919de4637a64a76072472d32545bcae4550c1abaccbfbe46973db45a7806fc2");
    }

    #[test]
    fn a_key_is_read_as_people_write_it() {
        let counted = SecretsKey::new(std::array::from_fn(|place| place as u8)).to_hex().to_string();
        let read = |text: &str| SecretsKey::parse(text).map(|key| key.to_hex().to_string());
        for text in [
            counted.as_str(),
            &counted.to_uppercase(),
            &format!("  {counted}\r\n"),
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ] {
            assert_eq!(read(text).as_deref(), Some(counted.as_str()), "{text}");
        }
        assert_eq!(read("__________________________________________8="), Some("ff".repeat(KEY_BYTES)));
        assert_eq!(read("//////////////////////////////////////////8"), Some("ff".repeat(KEY_BYTES)));
    }

    #[test]
    fn what_spells_no_key_is_none() {
        for text in [
            "",
            "sesame",
            &"0".repeat(63),
            &"0".repeat(65),
            &"g".repeat(64),
            &"ü".repeat(32),
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        ] {
            assert!(SecretsKey::parse(text).is_none(), "{text}");
        }
    }
}
