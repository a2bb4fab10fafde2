//! Refusals of keys.

use hyper::header::WWW_AUTHENTICATE;

use super::Refusal;

impl Refusal {
    /// No key, or none that can be read.
    pub fn no_key() -> Refusal {
        Refusal::new(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for \
             details, or we can help at https://support.stripe.com/.",
        )
        .header(WWW_AUTHENTICATE, "Basic realm=\"Stripe\"")
    }

    /// A key that opens nothing.
    pub fn bad_key(key: &str) -> Refusal {
        Refusal::new(401, format!("Invalid API Key provided: {}", masked(key)))
            .header(WWW_AUTHENTICATE, "Basic realm=\"Stripe\"")
    }

    /// A key that no longer opens anything.
    pub fn revoked_key(key: &str) -> Refusal {
        Refusal::new(401, format!("Expired API Key provided: {}", masked(key))).code("api_key_expired")
    }

    /// A publishable key where a secret one is needed.
    pub fn publishable_key() -> Refusal {
        Refusal::new(
            401,
            "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list \
             of your API keys at https://dashboard.stripe.com/account/apikeys.",
        )
        .code("secret_key_required")
    }

    /// A restricted key without the permission.
    pub fn no_permission(key: &str, account: &str, permission: &str) -> Refusal {
        Refusal::new(
            403,
            format!(
                "The provided key '{}' does not have the required permissions for this endpoint on account \
                 '{account}'. Having the '{permission}' permission would allow this request to continue.",
                masked(key)
            ),
        )
    }

    /// A key that may not act for the account.
    pub fn no_access(key: &str, account: &str) -> Refusal {
        let shown: String = account.chars().take(100).collect();
        Refusal::new(
            403,
            format!(
                "The provided key '{}' does not have access to account '{shown}' (or that account does not exist). \
                 Application access may have been revoked.",
                masked(key)
            ),
        )
        .code("account_invalid")
    }
}

/// A key with all but its sort and its last four characters hidden.
fn masked(key: &str) -> String {
    let sort = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"];
    let head = sort.into_iter().find(|sort| key.starts_with(sort)).unwrap_or("");
    let rest: Vec<char> = key[head.len()..].chars().collect();
    let shown = if rest.len() > 8 { 4 } else { 0 };
    let tail: String = rest[rest.len() - shown..].iter().collect();
    format!("{head}{}{tail}", "*".repeat((rest.len() - shown).min(40)))
}
#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn keys_are_hidden() {
        assert_eq!(masked("sk_test_abcdefghijkl"), "sk_test_********ijkl");
        assert_eq!(masked("sk_test_short"), "sk_test_*****");
        assert_eq!(masked("nonsense"), "********");
    }
}
