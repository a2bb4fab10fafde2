//! Secret text: card numbers, security codes, numbers of bank accounts and of people. It is there while a request runs,
//! cannot be printed or written to a record, and is wiped from memory when the last holder lets go of it.

use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};

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

/// The text without what could be card numbers in it: any digits, as many as a number has, of which the last is the check
/// digit of the others, also when more digits stand before or behind them, and with one character of any sort that is no
/// letter between two of them. It takes more than numbers away from long rows of digits, of which one in ten could be
/// one. For words that repeat what a caller sent in a place where nobody expects a number.
pub fn without_card_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    let mut run = Run::default();
    for (at, letter) in text.char_indices() {
        match letter {
            '0'..='9' => run.push(at, letter),
            // One between two digits.
            _ if run.ends.last() == Some(&at) && !letter.is_alphanumeric() => {}
            _ => run.mask(text, &mut shown, &mut rest),
        }
    }
    run.mask(text, &mut shown, &mut rest);
    shown.push_str(&text[rest..]);
    shown
}

/// The fewest digits of what could be the number of an account: shorter ones are told from others by trying anyway.
const MIN_DIGITS: usize = 8;
/// The letters and digits of an IBAN: ISO 13616.
const IBAN: std::ops::RangeInclusive<usize> = 15..=34;

/// Whether the whole of a text could be the number of a card or of an account: digits with anything between them but
/// letters, or an IBAN.
pub fn is_like_a_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= MIN_DIGITS && (!text.contains(char::is_alphabetic) || is_iban(text))
}

/// Whether the check digits of an IBAN are right: ISO 13616.
fn is_iban(text: &str) -> bool {
    let written = || text.bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
    if !IBAN.contains(&written().count()) || !written().take(2).all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let remainder = written().skip(4).chain(written().take(4)).try_fold(0_u32, |sum, byte| {
        let value = char::from(byte).to_digit(36)?;
        Some((sum * if value > 9 { 100 } else { 10 } + value) % 97)
    });
    remainder == Some(1)
}

/// Digits that could belong together, and the places behind each of them.
#[derive(Default)]
struct Run {
    digits: Zeroizing<Vec<u8>>,
    ends: Vec<usize>,
}

impl Run {
    fn push(&mut self, at: usize, digit: char) {
        // Two that are not digits end a run too.
        self.digits.push(u8::try_from(digit).unwrap_or(b'0'));
        self.ends.push(at + 1);
    }

    /// Shows the text from `rest` on as far as the last number of the run, without numbers, and begins a new run.
    fn mask(&mut self, text: &str, shown: &mut String, rest: &mut usize) {
        for (first, last) in numbers_in(&self.digits) {
            shown.push_str(&text[*rest..self.ends[first] - 1]);
            shown.push_str("***");
            *rest = self.ends[last];
        }
        self.digits.zeroize();
        self.ends.clear();
    }
}

/// The places of the first and the last digit of each stretch that is covered by what could be card numbers.
fn numbers_in(digits: &[u8]) -> Vec<(usize, usize)> {
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for end in *CARD_DIGITS.start()..=digits.len() {
        let mut longest = CARD_DIGITS.rev().filter(|length| *length <= end);
        let Some(length) = longest.find(|length| has_check_digit(&digits[end - length..end])) else {
            continue;
        };
        let (mut first, last) = (end - length, end - 1);
        while let Some(before) = stretches.pop_if(|(_, before)| first <= *before) {
            first = first.min(before.0);
        }
        stretches.push((first, last));
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::{Secret, Telling, has_check_digit, is_like_a_number, without_card_numbers};

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
    fn numbers_of_accounts_are_recognised() {
        for number in [
            "4242424242424242",
            "4242.4242.4242.4242 12/30",
            "000123456789",
            "+1 (555) 123-4567",
            "DE89370400440532013000",
            "gb82 west 1234 5698 7654 32",
        ] {
            assert!(is_like_a_number(number), "{number}");
        }
        for other in ["", "1234567", "tok_visa", "DE89370400440532013001", "card_12345678", "Am Wall 12345678", "ü"] {
            assert!(!is_like_a_number(other), "{other}");
        }
    }

    #[test]
    fn card_numbers_are_left_out_of_words() {
        for (text, shown) in [
            ("", ""),
            ("No such token: '4242424242424242'", "No such token: '***'"),
            ("4242 4242 4242 4242 and 3782-822463-10005", "*** and ***"),
            ("{\"number\":4242424242424242}é", "{\"number\":***}é"),
            ("Invalid integer: 99999999999999", "Invalid integer: 99999999999999"),
            ("4242424242424241, 12 34", "***1, 12 34"),
            ("4242424242424242, 12 34", "***, 12 34"),
            ("4242424242424242 12/30 123", "***"),
            ("4242424242424242 x", "*** x"),
            ("4242.4242.4242.4242", "***"),
            ("4242_4242/4242,4242", "***"),
            ("4242\u{a0}4242\u{2013}4242\u{a0}4242é", "***é"),
            ("4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", "***"),
        ] {
            assert_eq!(without_card_numbers(text), shown);
        }
    }
}
