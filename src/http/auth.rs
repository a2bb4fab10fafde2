//! The key that a request presents. Whether it opens anything is decided elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};

/// What a request presents in its `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented {
    /// Nothing, or an empty key.
    Nothing,
    /// A key: the bearer token, or the user name of the Basic scheme (its password is not looked at).
    Key(String),
    /// Something that is neither scheme.
    Unreadable,
}

/// Reads the `Authorization` header.
pub fn presented(headers: &HeaderMap) -> Presented {
    let Some(value) = headers.get(AUTHORIZATION) else { return Presented::Nothing };
    if headers.get_all(AUTHORIZATION).iter().any(|other| other != value) {
        return Presented::Unreadable;
    }
    let Ok(value) = value.to_str() else { return Presented::Unreadable };
    let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let Ok(pair) = STANDARD.decode(rest.trim()) else { return Presented::Unreadable };
        let Ok(pair) = String::from_utf8(pair) else { return Presented::Unreadable };
        pair.split_once(':').map_or(pair.as_str(), |(user, _)| user).to_owned()
    } else {
        return Presented::Unreadable;
    };
    if key.is_empty() { Presented::Nothing } else { Presented::Key(key) }
}

#[cfg(test)]
mod tests {
    use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};

    use super::{Presented, presented};

    #[track_caller]
    fn check(header: &'static str, expected: Presented) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
        assert_eq!(presented(&headers), expected, "{header}");
    }

    #[test]
    fn both_schemes_carry_the_key() {
        check("Bearer sk_test_a", Presented::Key("sk_test_a".into()));
        check("bearer  sk_test_a", Presented::Key("sk_test_a".into()));
        check("Basic c2tfdGVzdF9hOg==", Presented::Key("sk_test_a".into()));
        check("Basic c2tfdGVzdF9h", Presented::Key("sk_test_a".into()));
        check("Basic Og==", Presented::Nothing);
        check("Bearer", Presented::Nothing);
        check("Basic ???", Presented::Unreadable);
        check("Digest x", Presented::Unreadable);
    }
}
