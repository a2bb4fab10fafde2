//! The processor that there is: it knows the documented test numbers and names and what comes of each, and nothing else.
//! Real numbers are declined as soon as they are seen, and kept nowhere.

use std::future;

use zeroize::Zeroizing;

use super::fingerprint::fingerprint;
use super::table::{self, Said, TestBankAccount, TestCard};
use super::{
    Accepted, Answering, Ask, Authentication, BankDetails, CardDetails, Details, Failing, Processor, Verified,
};
use crate::domain::account::Mode;
use crate::domain::bank_account::{BankFacts, BankStatus, Guess, Told};
use crate::domain::card::{CardFacts, Check, Checks, Expiry, Reference};
use crate::domain::decline::Decline;
use crate::domain::money::Currency;
use crate::domain::secret::{CARD_DIGITS, Secret, Telling, has_check_digit};

/// Answers from a table, at once and always the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simulator;

impl Processor for Simulator {
    fn accept<'a>(&'a self, ask: Ask<'a>, details: &'a Details) -> Answering<'a, Accepted> {
        let accepted = match details {
            Details::Card(card) => accept_card(ask, card),
            Details::BankAccount(account) => accept_bank_account(ask, account),
        };
        Box::pin(future::ready(accepted.map_err(Failing::Declined)))
    }

    fn named(&self, ask: Ask<'_>, name: &str) -> Option<Accepted> {
        if ask.mode == Mode::Live {
            return None;
        }
        if let Some(card) = table::card_named(name) {
            // What docs.stripe.com/testing says of tok_visa: this month, a year from now.
            let (year, month) = ask.now.month();
            let expiry = Expiry::judged(month, year + 1, ask.now).ok()?;
            // A name states just what its card is there to be judged by.
            let states = |said: Said| (said != Said::Pass).then_some(Check::Unchecked);
            let checks =
                Checks { cvc: states(card.cvc), line1: states(card.line1), postal_code: states(card.postal_code) };
            return Some(Accepted::Card(card_facts(ask, card, expiry, checks)));
        }
        let (account, status) = table::bank_account_named(name)?;
        Some(Accepted::BankAccount { facts: bank_facts(ask, account), status })
    }

    fn judge<'a>(&'a self, ask: Ask<'a>, account: &'a Reference, told: &'a Told) -> Answering<'a, Guess> {
        let guess = match ask.mode {
            Mode::Test => table::bank_account_kept_as(&account.0).map(|account| account.guess(told)),
            // Nothing was paid in.
            Mode::Live => None,
        };
        Box::pin(future::ready(Ok(guess.unwrap_or(Guess::Wrong))))
    }

    fn verify<'a>(&'a self, ask: Ask<'a>, instrument: &'a Accepted) -> Answering<'a, Verified> {
        Box::pin(future::ready(verified(ask.mode, instrument).map_err(Failing::Declined)))
    }
}

/// Judges what is stated in the order in which Stripe does: number, month, year, security code; then whose card it is.
fn accept_card(ask: Ask<'_>, details: &CardDetails) -> Result<Accepted, Decline> {
    let CardDetails { number, exp_month, exp_year, cvc, states_line1, states_postal_code } = details;
    let number = card_number(number)?;
    let expiry = Expiry::judged(*exp_month, *exp_year, ask.now)?;
    if let Some(cvc) = cvc {
        check_code(&number, cvc)?;
    }
    let card = match (table::card_of(number.expose()), ask.mode) {
        (Some(card), Mode::Test) => card,
        (None, Mode::Test) => return Err(Decline::LiveCardInTestMode),
        (Some(_), Mode::Live) => return Err(Decline::TestCardInLiveMode),
        (None, Mode::Live) => return Err(Decline::NoProcessor),
    };
    let stated = |stated: bool| stated.then_some(Check::Unchecked);
    let checks =
        Checks { cvc: stated(cvc.is_some()), line1: stated(*states_line1), postal_code: stated(*states_postal_code) };
    Ok(Accepted::Card(card_facts(ask, card, expiry, checks)))
}

/// The number without what people put between its digits.
fn card_number(stated: &Secret) -> Result<Secret, Decline> {
    let mut digits = Zeroizing::new(String::with_capacity(stated.length()));
    for letter in stated.expose().trim().chars().filter(|letter| !matches!(letter, ' ' | '-')) {
        if !letter.is_ascii_digit() {
            return Err(Decline::InvalidNumber);
        }
        digits.push(letter);
    }
    if !CARD_DIGITS.contains(&digits.len()) {
        return Err(Decline::InvalidNumber);
    }
    if !has_check_digit(digits.as_bytes()) {
        return Err(Decline::IncorrectNumber);
    }
    Ok(Secret::new(std::mem::take(&mut *digits), Telling::LastFour))
}

fn check_code(number: &Secret, code: &Secret) -> Result<(), Decline> {
    let is_amex = ["34", "37"].iter().any(|beginning| number.expose().starts_with(beginning));
    let wanted = if is_amex { 4 } else { 3 };
    let code = code.expose();
    let fits = code.len() == wanted && code.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(()) } else { Err(Decline::InvalidCode) }
}

fn card_facts(ask: Ask<'_>, card: &TestCard, expiry: Expiry, checks: Checks) -> CardFacts {
    CardFacts {
        brand: card.brand,
        last4: last_four(card.number),
        exp_month: expiry.month,
        exp_year: expiry.year,
        country: Some(card.country.to_owned()),
        funding: card.funding,
        fingerprint: fingerprint(ask.fingerprints, &["card", card.number]),
        checks,
        reference: Reference(card.name.to_owned()),
    }
}

fn accept_bank_account(ask: Ask<'_>, details: &BankDetails) -> Result<Accepted, Decline> {
    let BankDetails { number, routing_number, country, currency } = details;
    if country != "US" {
        return Err(Decline::BankCountry);
    }
    if currency.is_some_and(|currency| currency.as_str() != table::US_DOLLAR) {
        return Err(Decline::BankCurrency);
    }
    let routing_number = routing_number.as_deref().unwrap_or_default();
    if !is_routing_number(routing_number) {
        return Err(Decline::InvalidRoutingNumber);
    }
    let number = number.expose().trim();
    // American account numbers have at most 17 digits: Nacha's entry detail record.
    if !(1..=17).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Decline::InvalidAccountNumber);
    }
    let account = match (table::bank_account_of(routing_number, number), ask.mode) {
        (Some(account), Mode::Test) => account,
        (None, Mode::Test) => return Err(Decline::LiveAccountInTestMode),
        (Some(_), Mode::Live) => return Err(Decline::TestAccountInLiveMode),
        (None, Mode::Live) => return Err(Decline::NoProcessor),
    };
    Ok(Accepted::BankAccount { facts: bank_facts(ask, account), status: BankStatus::New })
}

/// Nine digits of which the last makes 3, 7, 1 times each of them, added up, a multiple of ten: American Bankers
/// Association.
fn is_routing_number(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let weighed = text.bytes().zip([3, 7, 1].into_iter().cycle());
    digits
        && text.len() == 9
        && weighed.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum::<u32>().is_multiple_of(10)
}

fn bank_facts(ask: Ask<'_>, account: &TestBankAccount) -> BankFacts {
    BankFacts {
        bank_name: Some(table::BANK.to_owned()),
        country: "US".to_owned(),
        currency: Currency::parse(table::US_DOLLAR).expect("the US dollar is supported"),
        last4: last_four(account.number),
        routing_number: Some(table::ROUTING_NUMBER.to_owned()),
        fingerprint: fingerprint(ask.fingerprints, &["bank account", table::ROUTING_NUMBER, account.number]),
        reference: Reference(account.name.to_owned()),
    }
}

fn verified(mode: Mode, instrument: &Accepted) -> Result<Verified, Decline> {
    if mode == Mode::Live {
        return Err(Decline::NoProcessor);
    }
    let facts = match instrument {
        Accepted::Card(facts) => facts,
        // Whose it is, its owner proves later on.
        Accepted::BankAccount { facts, .. } => {
            table::bank_account_kept_as(&facts.reference.0).ok_or(Decline::ProcessingError)?;
            let authentication = Authentication::Unsupported;
            return Ok(Verified { instrument: instrument.clone(), authentication });
        }
    };
    let card = table::card_kept_as(&facts.reference.0).ok_or(Decline::ProcessingError)?;
    match card.declined {
        None => {}
        // "Stripe skips the CVC check if you omit it, so the check can't fail": docs.stripe.com/testing
        Some(Decline::IncorrectCode) if facts.checks.cvc.is_none() => {}
        Some(decline) => return Err(decline),
    }
    let said = |stated: Option<Check>, said: Said| stated.map(|_| said.check());
    let checks = Checks {
        cvc: said(facts.checks.cvc, card.cvc),
        line1: said(facts.checks.line1, card.line1),
        postal_code: said(facts.checks.postal_code, card.postal_code),
    };
    let instrument = Accepted::Card(CardFacts { checks, ..facts.clone() });
    Ok(Verified { instrument, authentication: card.authentication })
}

fn last_four(number: &str) -> String {
    number[number.len() - 4..].to_owned()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::account::FingerprintKey;
    use crate::domain::problem::Problem;
    use crate::domain::time::Time;
    use crate::processor::{AttemptKey, Finding, Question, Subject, find_out};

    /// 2026-03-01T12:00:00Z
    const NOW: Time = Time(1_772_366_400_000);

    fn find(mode: Mode, about: Subject, verify: bool) -> Finding {
        let (attempt, fingerprints) = (AttemptKey(String::new()), FingerprintKey::new([7; 32]));
        let ask = Ask { attempt: &attempt, mode, fingerprints: &fingerprints, now: NOW };
        let question = Question { about, verify };
        find_out(&Simulator, ask, &question).now_or_never().expect("it answers at once").expect("it is there")
    }

    fn card(number: &str, exp_month: i64, exp_year: i64, cvc: Option<&str>) -> Subject {
        let secret = |text: &str| Secret::new(text.to_owned(), Telling::LastFour);
        Subject::Details(Details::Card(CardDetails {
            number: secret(number),
            exp_month,
            exp_year,
            cvc: cvc.map(secret),
            states_line1: true,
            states_postal_code: true,
        }))
    }

    fn bank_account(routing_number: &str, number: &str, country: &str, currency: &str) -> Subject {
        Subject::Details(Details::BankAccount(BankDetails {
            number: Secret::new(number.to_owned(), Telling::LastFour),
            routing_number: (!routing_number.is_empty()).then(|| routing_number.to_owned()),
            country: country.to_owned(),
            currency: Currency::parse(currency),
        }))
    }

    fn facts(finding: &Finding) -> &CardFacts {
        match finding.instrument() {
            Ok(Some(Accepted::Card(facts))) => facts,
            other => panic!("no card: {other:?}"),
        }
    }

    #[test]
    fn what_is_stated_is_judged_first() {
        for (number, month, year, cvc, decline) in [
            ("4242x", 1, 2027, None, Decline::InvalidNumber),
            ("42424242424", 1, 2027, None, Decline::InvalidNumber),
            ("42424242424242424242", 1, 2027, None, Decline::InvalidNumber),
            ("4242424242424241", 13, 2027, None, Decline::IncorrectNumber),
            ("4242424242424242", 13, 1999, None, Decline::InvalidMonth),
            ("4242424242424242", 0, 2027, None, Decline::InvalidMonth),
            ("4242424242424242", 2, 2026, None, Decline::InvalidMonth),
            ("4242424242424242", 1, 2025, Some("99"), Decline::InvalidYear),
            ("4242424242424242", 1, 25, None, Decline::InvalidYear),
            ("4242424242424242", 1, 2077, None, Decline::InvalidYear),
            ("4242424242424242", 1, 2027, Some("99"), Decline::InvalidCode),
            ("4242424242424242", 1, 2027, Some("1234"), Decline::InvalidCode),
            ("4242424242424242", 1, 2027, Some("12a"), Decline::InvalidCode),
            ("378282246310005", 1, 2027, Some("123"), Decline::InvalidCode),
            ("4012888888881881", 1, 2027, Some("123"), Decline::LiveCardInTestMode),
        ] {
            let finding = find(Mode::Test, card(number, month, year, cvc), false);
            assert_eq!(finding, Finding::Declined(decline), "{number} {month} {year}");
        }
        assert_eq!(
            find(Mode::Live, card("4242424242424242", 1, 27, None), false),
            Finding::Declined(Decline::TestCardInLiveMode)
        );
        assert_eq!(
            find(Mode::Live, card("4012888888881881", 1, 27, None), false),
            Finding::Declined(Decline::NoProcessor)
        );
    }

    #[test]
    fn a_number_is_told_by_its_facts() {
        let finding = find(Mode::Test, card(" 4242 4242-4242 4242", 3, 26, Some("123")), false);
        let facts = facts(&finding);
        assert_eq!((facts.last4.as_str(), facts.exp_month, facts.exp_year), ("4242", 3, 2026));
        assert_eq!(facts.reference, Reference("visa".into()));
        let unchecked = Some(Check::Unchecked);
        assert_eq!(facts.checks, Checks { cvc: unchecked, line1: unchecked, postal_code: unchecked });
        assert!(!format!("{finding:?}").contains("4242424242424242"));
    }

    #[test]
    fn issuers_say_what_is_documented() {
        let declined = |number: &str, cvc| match find(Mode::Test, card(number, 1, 2030, cvc), true) {
            Finding::Refused { decline, .. } => Some(decline),
            Finding::Verified(_) => None,
            other => panic!("{other:?}"),
        };
        for (number, decline) in [
            ("4242424242424242", None),
            ("4000000000000002", Some(Decline::Generic)),
            ("4000000000009995", Some(Decline::InsufficientFunds)),
            ("4000000000009987", Some(Decline::LostCard)),
            ("4000000000009979", Some(Decline::StolenCard)),
            ("4000000000000069", Some(Decline::Expired)),
            ("4000000000000127", Some(Decline::IncorrectCode)),
            ("4000000000000119", Some(Decline::ProcessingError)),
            ("4000000000006975", Some(Decline::TooOften)),
            ("4000000000000341", None),
            ("4100000000000019", None),
        ] {
            assert_eq!(declined(number, Some("123")), decline, "{number}");
        }
        assert_eq!(declined("4000000000000127", None), None);
        let checks = |number: &str| facts(&find(Mode::Test, card(number, 1, 2030, None), true)).checks;
        let (pass, fail) = (Some(Check::Pass), Some(Check::Fail));
        assert_eq!(checks("4242424242424242"), Checks { cvc: None, line1: pass, postal_code: pass });
        assert_eq!(checks("4000000000000010"), Checks { cvc: None, line1: fail, postal_code: fail });
        assert_eq!(checks("4000000000000044").line1, Some(Check::Unavailable));
    }

    #[test]
    fn names_stand_for_cards_of_next_year() {
        let named = |mode, name: &str, verify| find(mode, Subject::Named(name.into()), verify);
        let visa = named(Mode::Test, "tok_visa", true);
        assert_eq!((facts(&visa).exp_month, facts(&visa).exp_year), (3, 2027));
        assert_eq!(facts(&visa).checks, Checks::default());
        let refused = named(Mode::Test, "pm_card_chargeDeclinedIncorrectCvc", true);
        assert_eq!(refused.instrument(), Err(Problem::Declined(Decline::IncorrectCode)));
        assert_eq!(named(Mode::Live, "tok_visa", false), Finding::NoSuchName);
        assert_eq!(named(Mode::Test, "tok_nobody", false), Finding::NoSuchName);
        match named(Mode::Test, "btok_us_verified", true).instrument() {
            Ok(Some(Accepted::BankAccount { status, .. })) => assert_eq!(*status, BankStatus::Verified),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn amounts_prove_test_accounts_in_test_mode() {
        let judged = |mode, account: &str, amounts| {
            find(mode, Subject::PaidIn(Reference(account.into()), Told::Amounts(amounts)), false)
                .guess()
                .expect("it is judged")
        };
        for (account, amounts, guess) in [
            ("success", [32, 45], Guess::Right),
            ("success", [45, 32], Guess::Right),
            ("success", [32, 46], Guess::Wrong),
            ("success", [11, 10], Guess::Last),
            ("failMicrodeposits", [32, 45], Guess::Last),
            ("nobody", [32, 45], Guess::Wrong),
        ] {
            assert_eq!(judged(Mode::Test, account, amounts), guess, "{account} {amounts:?}");
            assert_eq!(judged(Mode::Live, account, amounts), Guess::Wrong, "{account} {amounts:?}");
        }
    }

    #[test]
    fn only_documented_bank_accounts_are_taken() {
        for (about, decline) in [
            (bank_account("110000000", "000123456789", "GB", "gbp"), Decline::BankCountry),
            (bank_account("110000000", "000123456789", "US", "eur"), Decline::BankCurrency),
            (bank_account("", "000123456789", "US", "usd"), Decline::InvalidRoutingNumber),
            (bank_account("110000001", "000123456789", "US", "usd"), Decline::InvalidRoutingNumber),
            (bank_account("110000000", "12ab", "US", "usd"), Decline::InvalidAccountNumber),
            (bank_account("110000000", "123456789012345678", "US", "usd"), Decline::InvalidAccountNumber),
            (bank_account("110000000", "000123456780", "US", "usd"), Decline::LiveAccountInTestMode),
            (bank_account("021000021", "000123456789", "US", "usd"), Decline::LiveAccountInTestMode),
        ] {
            assert_eq!(find(Mode::Test, about.clone(), true), Finding::Declined(decline), "{about:?}");
        }
        let good = || bank_account("110000000", "000123456789", "US", "");
        match find(Mode::Test, good(), true).instrument() {
            Ok(Some(Accepted::BankAccount { facts, status })) => {
                assert_eq!((facts.last4.as_str(), *status), ("6789", BankStatus::New));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(find(Mode::Live, good(), false), Finding::Declined(Decline::TestAccountInLiveMode));
    }
}
