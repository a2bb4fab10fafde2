//! The signature of a webhook, by which its receiver knows who sent it and when.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::time::Time;

/// The header that carries the signature.
pub const HEADER: &str = "stripe-signature";

/// What the header says of a body that is sent `now`: `t=SECONDS,v1=SIGNATURE`, with one `v1` for each secret, the current
/// one first; while a secret is being replaced, both are valid. A signature is the HMAC-SHA256, in hexadecimal digits, of the
/// seconds, a full stop and the body's bytes, keyed by the whole text of the secret, `whsec_` included. Receivers refuse
/// signatures that are older than five minutes, so each attempt is signed anew. Source: docs/webhooks/signature and
/// `_webhook.py` of stripe-python.
pub fn header(secrets: &[&str], now: Time, body: &[u8]) -> String {
    let seconds = now.seconds().to_string();
    let mut text = format!("t={seconds}");
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(seconds.as_bytes());
        mac.update(b".");
        mac.update(body);
        text.push_str(",v1=");
        for byte in mac.finalize().into_bytes() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::header;
    use crate::domain::time::Time;

    #[test]
    fn the_signature_is_what_receivers_compute() {
        // python3: hmac.new(secret, b"1700000000." + body, "sha256").hexdigest()
        let (one, two) = (
            "2cd08230199fa833a9884e44e836f0166892e00e575b3f1387a392b589a681c2",
            "365eee281330a77da94a323fef2437e9dd6a5ae5891b75465dad2d8d32469509",
        );
        let body = "{\"id\":\"evt_1\",\"name\":\"Zoë\"}".as_bytes();
        let now = Time(1_700_000_000_999);
        assert_eq!(header(&["whsec_one"], now, body), format!("t=1700000000,v1={one}"));
        assert_eq!(header(&["whsec_one", "whsec_two"], now, body), format!("t=1700000000,v1={one},v1={two}"));
        assert_eq!(header(&[], now, body), "t=1700000000");
    }
}
