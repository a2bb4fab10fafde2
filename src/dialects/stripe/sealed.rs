//! Signing secrets in replies. A reply is made, and kept for its retry, with what the secret is made from in the secret's
//! place; on its way out, for the first time or again, the secret is put in. So no secret is ever written down.

use std::fmt::Write as _;

use bytes::Bytes;
use hyper::header::HeaderName;

use super::failure::Refusal;
use crate::domain::webhook::Salt;
use crate::http::Reply;
use crate::http::content::Content;
use crate::secrets_key::SecretsKey;

/// Says which salt stands in the body for a secret. It is kept with the reply and goes no further.
const SEALED: HeaderName = HeaderName::from_static("cusp-sealed-secret");

/// What begins the text that stands for a secret. Nobody can have sent the whole of it, because salts are told to nobody.
const MARK: &str = "sealed:";

/// What stands for the secret of that salt.
pub fn sealed(salt: &Salt) -> String {
    format!("{MARK}{}", hex(salt))
}

/// Notes that the body holds what stands for the secret of that salt.
pub fn noted(reply: Reply, salt: &Salt) -> Reply {
    reply.with(SEALED, &hex(salt))
}

/// The reply with the secret in it, if one is to be in it.
pub fn opened(mut reply: Reply, key: Option<&SecretsKey>) -> Reply {
    let Some(at) = reply.headers.iter().position(|(name, _)| *name == SEALED) else { return reply };
    let (_, salt) = reply.headers.remove(at);
    // A reply that was kept when the server had its key.
    let Some(key) = key else { return Refusal::no_secrets_key().reply() };
    let Some(salt) = salt.to_str().ok().and_then(read) else { return Refusal::broken().reply() };
    let (text, secret) = (sealed(&salt), key.webhook_secret(&salt));
    let body = std::str::from_utf8(reply.content.whole()).unwrap_or_default().replace(&text, &secret);
    Reply { content: Content::Whole(Bytes::from(body)), ..reply }
}

fn hex(salt: &Salt) -> String {
    salt.0.iter().fold(String::with_capacity(64), |mut text, byte| {
        // A text takes whatever is written into it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read(text: &str) -> Option<Salt> {
    let mut salt = Salt([0; 32]);
    if text.len() != 2 * salt.0.len() || !text.is_ascii() {
        return None;
    }
    for (place, byte) in salt.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(salt)
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::{hex, noted, opened, read, sealed};
    use crate::domain::webhook::Salt;
    use crate::http::Reply;
    use crate::secrets_key::SecretsKey;

    #[test]
    fn a_secret_is_in_no_reply_until_it_leaves() {
        let (salt, key) = (Salt(std::array::from_fn(|place| place as u8)), SecretsKey::new([7; 32]));
        let secret = key.webhook_secret(&salt);
        let kept = noted(Reply::new(StatusCode::OK, format!("{{\"secret\":\"{}\"}}", sealed(&salt))), &salt);
        assert!(!format!("{kept:?}").contains("whsec_"));
        let left = opened(kept, Some(&key));
        assert_eq!(left.content.whole(), format!("{{\"secret\":\"{}\"}}", *secret).as_bytes());
        assert!(left.headers.is_empty());
    }

    #[test]
    fn without_its_key_a_server_says_so() {
        let salt = Salt([1; 32]);
        assert_eq!(opened(noted(Reply::new(StatusCode::OK, sealed(&salt)), &salt), None).status, 400);
        assert_eq!(opened(Reply::new(StatusCode::OK, "{}"), None).content.whole(), b"{}");
    }

    #[test]
    fn salts_are_read_as_they_were_noted() {
        let salt = Salt(std::array::from_fn(|place| (place * 8) as u8));
        assert!(read(&hex(&salt)) == Some(salt));
        assert!(read("00").is_none() && read(&"g".repeat(64)).is_none() && read(&"é".repeat(32)).is_none());
    }
}
