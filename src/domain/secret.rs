//! Secret text: card numbers, security codes, numbers of bank accounts and of people. It is there while a request runs,
//! cannot be printed or written to a record, and is wiped from memory when the last holder lets go of it.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The fewest characters of a secret whose last four may be told: of a shorter one they would be too much of it.
const MIN_TELLING: usize = 8;

/// How much of a secret may be told: to compare requests, and to people who have to recognise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// How long it is.
    Length,
    /// That, and its last four characters.
    LastFour,
}

/// Secret text. Copies share one place in memory, so that there is one place to wipe.
#[derive(Clone)]
pub struct Secret {
    text: Arc<Zeroizing<String>>,
    telling: Telling,
}

impl Secret {
    /// Takes the text over. What it was copied from is for the caller to wipe.
    pub fn new(text: String, telling: Telling) -> Secret {
        Secret { text: Arc::new(Zeroizing::new(text)), telling }
    }

    /// The text, for those who check it or hand it on to a processor.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// The last four characters, if they may be told.
    pub fn last_four(&self) -> Option<&str> {
        let start = self.text.char_indices().rev().nth(3)?.0;
        let tells = self.telling == Telling::LastFour && self.text.len() >= MIN_TELLING;
        tells.then(|| &self.text[start..])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Equal texts are equal, however much may be told of them. Nobody compares a secret with one that he does not know.
impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.text == other.text
    }
}

impl Eq for Secret {}

/// The fewest and the most digits of a card's number: ISO/IEC 7812.
pub const CARD_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// Whether the last digit is the check digit of those before it: ISO/IEC 7812-1, annex B.
pub fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            match (place % 2, digit * 2) {
                (0, _) => digit,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// The text without what could be card numbers in it: digits, maybe in groups with one space or dash between them, that
/// are as many as a number has and end in its check digit. For words that repeat what a caller sent in a place where
/// nobody expects a number.
pub fn without_card_numbers(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let (end, is_number) = run_of_digits(bytes, at);
        if is_number {
            shown.push_str(&text[rest..at]);
            shown.push_str("***");
            rest = end;
        }
        at = end;
    }
    shown.push_str(&text[rest..]);
    shown
}

/// Where a run of digits ends, and whether it could be a card's number.
fn run_of_digits(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut digits = Zeroizing::new([0; *CARD_DIGITS.end()]);
    let mut count = 0;
    let mut at = start;
    let mut end = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                if let Some(place) = digits.get_mut(count) {
                    *place = *byte;
                }
                count += 1;
                end = at + 1;
            }
            // One between two digits.
            b' ' | b'-' | b'+' if end == at => {}
            _ => break,
        }
        at += 1;
    }
    (end, CARD_DIGITS.contains(&count) && has_check_digit(&digits[..count]))
}

#[cfg(test)]
mod tests {
    use super::{Secret, Telling, has_check_digit, without_card_numbers};

    #[test]
    fn a_secret_prints_nothing() {
        let secret = Secret::new("4242424242424242".into(), Telling::LastFour);
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret Some(Secret)");
    }

    #[test]
    fn little_is_told_of_a_secret() {
        let told = |text: &str, telling| Secret::new(text.into(), telling).last_four().map(str::to_owned);
        assert_eq!(told("4242424242421234", Telling::LastFour).as_deref(), Some("1234"));
        assert_eq!(told("4242424242421234", Telling::Length), None);
        assert_eq!(told("1234567", Telling::LastFour), None);
        assert_eq!(told("1234ääää", Telling::LastFour).as_deref(), Some("ääää"));
        assert_eq!(told("", Telling::LastFour), None);
    }

    #[test]
    fn the_check_digit_tells_a_mistake() {
        for good in ["4242424242424242", "378282246310005", "30569309025904", "6205500000000000004", "0"] {
            assert!(has_check_digit(good.as_bytes()), "{good}");
        }
        for bad in ["4242424242424241", "", "1"] {
            assert!(!has_check_digit(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn card_numbers_are_left_out_of_words() {
        for (text, shown) in [
            ("", ""),
            ("No such token: '4242424242424242'", "No such token: '***'"),
            ("4242 4242 4242 4242 and 3782-822463-10005", "*** and ***"),
            ("{\"number\":4242424242424242}é", "{\"number\":***}é"),
            ("Invalid integer: 9223372036854775808", "Invalid integer: 9223372036854775808"),
            ("4242424242424241, 12 34", "4242424242424241, 12 34"),
        ] {
            assert_eq!(without_card_numbers(text), shown);
        }
    }
}
