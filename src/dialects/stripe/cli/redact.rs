//! Texts of requests as a log may show them: without card numbers, keys and secrets.

use crate::domain::secret::without_card_numbers;

/// How keys and secrets begin.
const SECRETS: [&str; 6] = ["sk_", "rk_", "pk_", "ek_", "whsec_", "cliws_"];
/// What stands between an id and the secret of its object.
const CLIENT_SECRET: &str = "_secret_";
/// The most characters that are shown of one text.
const MAX_SHOWN: usize = 1_000;

/// The text without what nobody should read in a log: of a key or a secret only how it begins.
pub fn redacted(text: &str) -> String {
    let text: String = text.chars().take(MAX_SHOWN).collect();
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let word = rest.find(|letter: char| !is_of_word(letter)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(word);
        shown.push_str(head.split_at(open_part(head)).0);
        if open_part(head) < head.len() {
            shown.push('…');
        }
        let gap = tail.find(is_of_word).unwrap_or(tail.len());
        shown.push_str(&tail[..gap]);
        rest = &tail[gap..];
    }
    without_card_numbers(&shown)
}

/// How many bytes of a word may be shown.
fn open_part(word: &str) -> usize {
    let secret = SECRETS.iter().find(|beginning| word.starts_with(**beginning)).map(|beginning| beginning.len());
    let of_object = word.find(CLIENT_SECRET).map(|place| place + CLIENT_SECRET.len());
    secret.or(of_object).unwrap_or(word.len())
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        for (text, shown) in [
            ("/v1/customers/cus_1", "/v1/customers/cus_1"),
            ("/v1/setup_intents/seti_1_secret_abc/confirm", "/v1/setup_intents/seti_1_secret_…/confirm"),
            ("Invalid API Key: sk_test_abc123.", "Invalid API Key: sk_…."),
            ("'whsec_abc' and rk_live_1", "'whsec_…' and rk_…"),
            ("Grüße, cus_ä", "Grüße, cus_ä"),
            ("task_1 is no secret_key", "task_1 is no secret_key"),
            ("", ""),
        ] {
            assert_eq!(redacted(text), shown, "{text}");
        }
        assert!(!redacted("No such token: '4242 4242 4242 4242'").contains("4242 4242"));
        assert!(!redacted("/v1/tokens/4242424242424242").contains("42424242"));
        assert_eq!(redacted(&"ä".repeat(2_000)).chars().count(), MAX_SHOWN);
    }
}
