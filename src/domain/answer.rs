//! What is kept of an answer to a webhook, whoever has sent it: a bounded part of it, without what lets somebody in and
//! without what could be a card's number.

use super::secret::without_card_numbers;

/// The most that is kept of an answer's body, in bytes.
pub const MAX_BODY_BYTES: usize = 4_096;
/// The most headers of an answer that are kept.
pub const MAX_HEADERS: usize = 32;
/// The most that is kept of a header's name, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// The most that is kept of a header's value, in bytes.
const MAX_VALUE_BYTES: usize = 256;
/// Headers whose values let somebody in; of those only the name is kept.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "authentication-info", "proxy-authenticate", "set-cookie", "set-cookie2", "www-authenticate"];

/// A header as it may be shown and kept: its name in lower case, of its value the beginning, or nothing when it is secret.
pub fn header(name: &str, value: &str) -> (String, String) {
    let name = name.to_ascii_lowercase();
    let value = match SECRET_HEADERS.contains(&name.as_str()) {
        true => "…".to_owned(),
        false => shown(value, MAX_VALUE_BYTES),
    };
    (shown(&name, MAX_NAME_BYTES), value)
}

/// The beginning of a text as it may be shown and kept, at most so many bytes.
pub fn shown(text: &str, bound: usize) -> String {
    let plain = |letter: char| match letter {
        '\n' | '\r' | '\t' => letter,
        // Not every database can keep them.
        _ if letter.is_control() => char::REPLACEMENT_CHARACTER,
        _ => letter,
    };
    let mut clean: String = without_card_numbers(text).chars().map(plain).collect();
    clean.truncate(clean.floor_char_boundary(bound));
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_cut_between_letters() {
        for (text, bound, expected) in
            [("ääää", 5, "ää"), ("a\0b", 10, "a\u{fffd}b"), ("4242424242424242", 2, "**"), ("", 0, "")]
        {
            assert_eq!(shown(text, bound), expected);
        }
    }

    #[test]
    fn of_a_secret_header_only_the_name_is_kept() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (name, value, kept) in [
            ("Server", "x", pair("server", "x")),
            ("Set-Cookie", "id=1", pair("set-cookie", "…")),
            ("AUTHORIZATION", "Bearer x", pair("authorization", "…")),
        ] {
            assert_eq!(header(name, value), kept);
        }
        let (name, value) = header(&"n".repeat(100), &"v".repeat(300));
        assert_eq!((name.len(), value.len()), (64, 256));
    }
}
