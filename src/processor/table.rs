//! Every documented test number (docs.stripe.com/testing): what card or bank account it is, the names that stand for it, and
//! what its issuer says of it. The name of a row is the processor's reference of an instrument, which is stored: it never
//! changes, and no row goes.

use super::Authentication;
use crate::domain::bank_account::{BankStatus, Guess, Told};
use crate::domain::card::{Brand, Check, Funding};
use crate::domain::decline::Decline;

/// A documented card.
pub struct TestCard {
    /// Its number. Several rows may have one: the first is meant by the number, the others by their names alone.
    pub number: &'static str,
    /// The row's name: after `tok_` and after `pm_card_` it stands for the card, if it is documented as that.
    pub name: &'static str,
    /// Its scheme.
    pub brand: Brand,
    /// Whose money it spends.
    pub funding: Funding,
    /// Its issuer's country.
    pub country: &'static str,
    /// Why it cannot be attached to a customer.
    pub declined: Option<Decline>,
    /// What its issuer says of a security code.
    pub cvc: Said,
    /// What its issuer says of the first line of an address.
    pub line1: Said,
    /// What its issuer says of a postal code.
    pub postal_code: Said,
    /// Whether its owner has to prove who he is.
    pub authentication: Authentication,
    /// Whether the row's name is documented.
    named: bool,
}

/// What an issuer says of anything that is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is right.
    Pass,
    /// It is wrong.
    Fail,
    /// Nothing.
    Unavailable,
}

impl Said {
    /// As it is shown.
    pub fn check(self) -> Check {
        match self {
            Said::Pass => Check::Pass,
            Said::Fail => Check::Fail,
            Said::Unavailable => Check::Unavailable,
        }
    }
}

/// A documented bank account in the United States.
pub struct TestBankAccount {
    /// Its number.
    pub number: &'static str,
    /// The row's name, which after `pm_usBankAccount_` stands for the account.
    pub name: &'static str,
}

/// What is paid in to prove an account, in minor units: docs.stripe.com/testing.
const PAID_IN: [i64; 2] = [32, 45];
/// What stands for amounts told wrongly too often.
const TOLD_TOO_OFTEN: [i64; 2] = [10, 11];
/// The code in the text of what is paid in.
const PAID_WITH: &str = "SM11AA";
/// The account to which micro-deposits cannot be sent, so that no guess is right.
const NEVER_PAID_INTO: &str = "failMicrodeposits";

impl TestBankAccount {
    /// Whether what its owner tells is what was paid in.
    pub fn guess(&self, told: &Told) -> Guess {
        if self.name == NEVER_PAID_INTO {
            return Guess::Last;
        }
        match told {
            Told::Amounts(amounts) => {
                let mut amounts = *amounts;
                amounts.sort_unstable();
                match amounts {
                    PAID_IN => Guess::Right,
                    TOLD_TOO_OFTEN => Guess::Last,
                    [_, _] => Guess::Wrong,
                }
            }
            Told::Code(code) if code == PAID_WITH => Guess::Right,
            Told::Code(_) => Guess::Wrong,
        }
    }
}

/// The routing number of every documented account.
pub const ROUTING_NUMBER: &str = "110000000";
/// The bank that has it.
pub const BANK: &str = "STRIPE TEST BANK";
/// What documented accounts are in.
pub const US_DOLLAR: &str = "usd";

const fn card(
    number: &'static str,
    name: &'static str,
    brand: Brand,
    funding: Funding,
    country: &'static str,
) -> TestCard {
    TestCard {
        number,
        name,
        brand,
        funding,
        country,
        declined: None,
        cvc: Said::Pass,
        line1: Said::Pass,
        postal_code: Said::Pass,
        authentication: Authentication::Offered,
        named: true,
    }
}

impl TestCard {
    const fn unnamed(mut self) -> TestCard {
        self.named = false;
        self
    }

    const fn declined(mut self, decline: Decline) -> TestCard {
        self.declined = Some(decline);
        self
    }

    const fn code(mut self, said: Said) -> TestCard {
        self.cvc = said;
        self
    }

    const fn line1(mut self, said: Said) -> TestCard {
        self.line1 = said;
        self
    }

    const fn postal_code(mut self, said: Said) -> TestCard {
        self.postal_code = said;
        self
    }

    const fn asking(mut self, authentication: Authentication) -> TestCard {
        self.authentication = authentication;
        self
    }
}

/// Every documented card.
static CARDS: [TestCard; 138] = [
    // By brand.
    card("4242424242424242", "visa", Brand::Visa, Funding::Credit, "US"),
    card("4000056655665556", "visa_debit", Brand::Visa, Funding::Debit, "US"),
    card("5555555555554444", "mastercard", Brand::Mastercard, Funding::Credit, "US"),
    card("2223003122003222", "mastercard_series2", Brand::Mastercard, Funding::Credit, "US").unnamed(),
    card("5200828282828210", "mastercard_debit", Brand::Mastercard, Funding::Debit, "US"),
    card("5105105105105100", "mastercard_prepaid", Brand::Mastercard, Funding::Prepaid, "US"),
    card("378282246310005", "amex", Brand::Amex, Funding::Credit, "US").asking(Authentication::Unsupported),
    card("371449635398431", "amex_second", Brand::Amex, Funding::Credit, "US").unnamed(),
    card("6011111111111117", "discover", Brand::Discover, Funding::Credit, "US"),
    card("6011000990139424", "discover_second", Brand::Discover, Funding::Credit, "US").unnamed(),
    card("6011981111111113", "discover_debit", Brand::Discover, Funding::Debit, "US").unnamed(),
    card("3056930009020004", "diners", Brand::Diners, Funding::Credit, "US"),
    card("36227206271667", "diners_14", Brand::Diners, Funding::Credit, "US").unnamed(),
    card("30569309025904", "diners_14_second", Brand::Diners, Funding::Credit, "US").unnamed(),
    card("38520000023237", "diners_14_third", Brand::Diners, Funding::Credit, "US").unnamed(),
    card("3566002020360505", "jcb", Brand::Jcb, Funding::Credit, "JP"),
    card("3530111333300000", "jcb_second", Brand::Jcb, Funding::Credit, "JP").unnamed(),
    card("6200000000000005", "unionpay", Brand::UnionPay, Funding::Credit, "CN"),
    card("6200000000000047", "unionpay_debit", Brand::UnionPay, Funding::Debit, "CN").unnamed(),
    card("6205500000000000004", "unionpay_19", Brand::UnionPay, Funding::Credit, "CN").unnamed(),
    card("4000051230000072", "visa_hsa", Brand::Visa, Funding::Debit, "US").unnamed(),
    card("5200828282828897", "mastercard_fsa", Brand::Mastercard, Funding::Debit, "US").unnamed(),
    card("4000002500001001", "visa_cartesBancaires", Brand::Visa, Funding::Credit, "FR"),
    card("5555552500001001", "mastercard_cartesBancaires", Brand::Mastercard, Funding::Credit, "FR"),
    card("4000050360000001", "visa_debit_eftposAuCoBranded", Brand::Visa, Funding::Debit, "AU"),
    card("5555050360000080", "mastercard_debit_eftposAuCoBranded", Brand::Mastercard, Funding::Debit, "AU"),
    // By country.
    card("4242424242424242", "us", Brand::Visa, Funding::Credit, "US"),
    card("4000000320000021", "ar", Brand::Visa, Funding::Credit, "AR"),
    card("4000000760000002", "br", Brand::Visa, Funding::Credit, "BR"),
    card("4000001240000000", "ca", Brand::Visa, Funding::Credit, "CA"),
    card("4000001520000001", "cl", Brand::Visa, Funding::Credit, "CL"),
    card("4000001700000003", "co", Brand::Visa, Funding::Credit, "CO"),
    card("4000001880000005", "cr", Brand::Visa, Funding::Credit, "CR"),
    card("4000002180000000", "ec", Brand::Visa, Funding::Credit, "EC"),
    card("4000004840008001", "mx", Brand::Visa, Funding::Credit, "MX"),
    card("4000005910000000", "pa", Brand::Visa, Funding::Credit, "PA"),
    card("4000006000000066", "py", Brand::Visa, Funding::Credit, "PY"),
    card("4000006040000068", "pe", Brand::Visa, Funding::Credit, "PE"),
    card("4000008580000003", "uy", Brand::Visa, Funding::Credit, "UY"),
    card("4000007840000001", "ae", Brand::Visa, Funding::Credit, "AE"),
    card("4000000400000008", "at", Brand::Visa, Funding::Credit, "AT"),
    card("4000000560000004", "be", Brand::Visa, Funding::Credit, "BE"),
    card("4000001000000000", "bg", Brand::Visa, Funding::Credit, "BG"),
    card("4000001120000005", "by", Brand::Visa, Funding::Credit, "BY"),
    card("4000001910000009", "hr", Brand::Visa, Funding::Credit, "HR"),
    card("4000001960000008", "cy", Brand::Visa, Funding::Credit, "CY"),
    card("4000002030000002", "cz", Brand::Visa, Funding::Credit, "CZ"),
    card("4000002080000001", "dk", Brand::Visa, Funding::Credit, "DK"),
    card("4000002330000009", "ee", Brand::Visa, Funding::Credit, "EE"),
    card("4000002460000001", "fi", Brand::Visa, Funding::Credit, "FI"),
    card("4000002500000003", "fr", Brand::Visa, Funding::Credit, "FR"),
    card("4000002760000016", "de", Brand::Visa, Funding::Credit, "DE"),
    card("4000002920000005", "gi", Brand::Visa, Funding::Credit, "GI"),
    card("4000003000000030", "gr", Brand::Visa, Funding::Credit, "GR"),
    card("4000003480000005", "hu", Brand::Visa, Funding::Credit, "HU"),
    card("4000003720000005", "ie", Brand::Visa, Funding::Credit, "IE"),
    card("4000003800000008", "it", Brand::Visa, Funding::Credit, "IT"),
    card("4000004280000005", "lv", Brand::Visa, Funding::Credit, "LV"),
    card("4000004380000004", "li", Brand::Visa, Funding::Credit, "LI"),
    card("4000004400000000", "lt", Brand::Visa, Funding::Credit, "LT"),
    card("4000004420000006", "lu", Brand::Visa, Funding::Credit, "LU"),
    card("4000004700000007", "mt", Brand::Visa, Funding::Credit, "MT"),
    card("4000005280000002", "nl", Brand::Visa, Funding::Credit, "NL"),
    card("4000005780000007", "no", Brand::Visa, Funding::Credit, "NO"),
    card("4000006160000005", "pl", Brand::Visa, Funding::Credit, "PL"),
    card("4000006200000007", "pt", Brand::Visa, Funding::Credit, "PT"),
    card("4000006420000001", "ro", Brand::Visa, Funding::Credit, "RO"),
    card("4000006820000007", "sa", Brand::Visa, Funding::Credit, "SA").unnamed(),
    card("4000007050000006", "si", Brand::Visa, Funding::Credit, "SI"),
    card("4000007030000001", "sk", Brand::Visa, Funding::Credit, "SK"),
    card("4000007240000007", "es", Brand::Visa, Funding::Credit, "ES"),
    card("4000007520000008", "se", Brand::Visa, Funding::Credit, "SE"),
    card("4000007560000009", "ch", Brand::Visa, Funding::Credit, "CH"),
    card("4000008260000000", "gb", Brand::Visa, Funding::Credit, "GB"),
    card("4000000360000006", "au", Brand::Visa, Funding::Credit, "AU"),
    card("4000001560000002", "cn", Brand::Visa, Funding::Credit, "CN"),
    card("4000003440000004", "hk", Brand::Visa, Funding::Credit, "HK"),
    card("4000003560000008", "in", Brand::Visa, Funding::Credit, "IN"),
    card("4000003920000003", "jp", Brand::Visa, Funding::Credit, "JP"),
    card("4000004580000002", "my", Brand::Visa, Funding::Credit, "MY"),
    card("4000005540000008", "nz", Brand::Visa, Funding::Credit, "NZ"),
    card("4000007020000003", "sg", Brand::Visa, Funding::Credit, "SG"),
    card("4000001580000008", "tw", Brand::Visa, Funding::Credit, "TW"),
    card("4000007640000003", "th_credit", Brand::Visa, Funding::Credit, "TH"),
    card("5062210000000009", "mx_carnet", Brand::Unknown, Funding::Debit, "MX").unnamed(),
    card("5200007840000022", "ae_mastercard", Brand::Mastercard, Funding::Credit, "AE"),
    card("4000058260000005", "gb_debit", Brand::Visa, Funding::Debit, "GB"),
    card("5555558265554449", "gb_mastercard", Brand::Mastercard, Funding::Credit, "GB"),
    card("4000057640000008", "th_debit", Brand::Visa, Funding::Debit, "TH"),
    // Declined by their issuers.
    card("4000000000000002", "visa_chargeDeclined", Brand::Visa, Funding::Credit, "US").declined(Decline::Generic),
    // The name that the events which the official CLI sets off are made with.
    card("4000000000000002", "chargeDeclined", Brand::Visa, Funding::Credit, "US").declined(Decline::Generic),
    card("4000000000009995", "visa_chargeDeclinedInsufficientFunds", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::InsufficientFunds),
    card("4000000000009987", "visa_chargeDeclinedLostCard", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::LostCard),
    card("4000000000009979", "visa_chargeDeclinedStolenCard", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::StolenCard),
    card("4000000000000069", "chargeDeclinedExpiredCard", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::Expired),
    card("4000000000000069", "visa_chargeDeclinedExpiredCard", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::Expired),
    card("4000000000000127", "chargeDeclinedIncorrectCvc", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::IncorrectCode)
        .code(Said::Fail),
    card("4000000000000127", "visa_chargeDeclinedIncorrectCvc", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::IncorrectCode)
        .code(Said::Fail),
    card("4000000000000119", "chargeDeclinedProcessingError", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::ProcessingError),
    card("4000000000000119", "visa_chargeDeclinedProcessingError", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::ProcessingError),
    card("4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded", Brand::Visa, Funding::Credit, "US")
        .declined(Decline::TooOften),
    // Taken, and declined when they are charged.
    card("4000000000000341", "chargeCustomerFail", Brand::Visa, Funding::Credit, "US"),
    card("4000000000000341", "visa_chargeCustomerFail", Brand::Visa, Funding::Credit, "US"),
    card("4000000000000341", "visa_chargeCustomerFailLostCard", Brand::Visa, Funding::Credit, "US"),
    card("4000000000000341", "visa_chargeCustomerFailStolenCard", Brand::Visa, Funding::Credit, "US"),
    // Judged by their risk and by what is stated.
    card("4100000000000019", "radarBlock", Brand::Visa, Funding::Credit, "US"),
    card("4000000000004954", "riskLevelHighest", Brand::Visa, Funding::Credit, "US"),
    card("4000000000009235", "riskLevelElevated", Brand::Visa, Funding::Credit, "US"),
    card("4000008400000407", "highFraudDisputeScore", Brand::Visa, Funding::Credit, "US"),
    card("4000008400000159", "highEfwScore", Brand::Visa, Funding::Credit, "US"),
    card("4000008400001017", "radarDynamicRiskThreshold", Brand::Visa, Funding::Credit, "US"),
    card("4000008405600003", "adaptive3dsChallenge", Brand::Visa, Funding::Credit, "US"),
    card("4000000000000101", "cvcCheckFail", Brand::Visa, Funding::Credit, "US").code(Said::Fail),
    card("4000000000000036", "avsZipFail", Brand::Visa, Funding::Credit, "US").postal_code(Said::Fail),
    card("4000058400307872", "cvcCheckFailElevatedRisk", Brand::Visa, Funding::Debit, "US").code(Said::Fail),
    card("4000058400306072", "avsZipFailElevatedRisk", Brand::Visa, Funding::Debit, "US").postal_code(Said::Fail),
    card("4000000000000028", "avsLine1Fail", Brand::Visa, Funding::Credit, "US").line1(Said::Fail),
    card("4000000000000010", "avsFail", Brand::Visa, Funding::Credit, "US").line1(Said::Fail).postal_code(Said::Fail),
    card("4000000000000044", "avsUnchecked", Brand::Visa, Funding::Credit, "US")
        .line1(Said::Unavailable)
        .postal_code(Said::Unavailable),
    // With 3-D Secure.
    card("4000002500003155", "authenticationRequiredOnSetup", Brand::Visa, Funding::Credit, "FR")
        .asking(Authentication::UntilSetUp),
    card("4000002760003184", "authenticationRequired", Brand::Visa, Funding::Credit, "DE")
        .asking(Authentication::Always),
    card("4000003800000446", "authenticationRequiredSetupForOffSession", Brand::Visa, Funding::Credit, "IT")
        .asking(Authentication::SetUpAlready),
    card(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        Brand::Visa,
        Funding::Credit,
        "GB",
    )
    .asking(Authentication::AlwaysThenInsufficientFunds),
    card("4000000000003220", "threeDSecure2Required", Brand::Visa, Funding::Credit, "US")
        .asking(Authentication::Required),
    card("4000008400001629", "threeDSecureRequiredChargeDeclined", Brand::Visa, Funding::Credit, "US")
        .asking(Authentication::RequiredThenDeclined),
    card("4000008400001280", "threeDSecureRequiredProcessingError", Brand::Visa, Funding::Credit, "US")
        .asking(Authentication::RequiredLookupFails),
    card("4000000000003055", "threeDSecureOptional", Brand::Visa, Funding::Credit, "US"),
    card("4000000000003097", "threeDSecureOptionalProcessingError", Brand::Visa, Funding::Credit, "US")
        .asking(Authentication::OfferedFails),
    card("378282246310005", "amex_threeDSecureNotSupported", Brand::Amex, Funding::Credit, "US")
        .asking(Authentication::Unsupported),
    // Of which refunds, disputes and balances are told.
    card("4000000000007726", "pendingRefund", Brand::Visa, Funding::Credit, "US"),
    card("4000000000005126", "refundFail", Brand::Visa, Funding::Credit, "US"),
    card("4000000000000259", "createDispute", Brand::Visa, Funding::Credit, "US"),
    card("4000000000002685", "createDisputeProductNotReceived", Brand::Visa, Funding::Credit, "US"),
    card("4000000000001976", "createDisputeInquiry", Brand::Visa, Funding::Credit, "US"),
    card("4000000000005423", "createIssuerFraudRecord", Brand::Visa, Funding::Credit, "US"),
    card("4000000404000079", "createMultipleDisputes", Brand::Visa, Funding::Credit, "US"),
    card("4000000000000077", "bypassPending", Brand::Visa, Funding::Credit, "US"),
    card("4000003720000278", "bypassPendingInternational", Brand::Visa, Funding::Credit, "IE"),
];

/// Every documented bank account. What is told of most happens when they are charged.
static BANK_ACCOUNTS: [TestBankAccount; 9] = [
    TestBankAccount { number: "000123456789", name: "success" },
    TestBankAccount { number: "000111111113", name: "accountClosed" },
    TestBankAccount { number: "000111111116", name: "noAccount" },
    TestBankAccount { number: "000222222227", name: "insufficientFunds" },
    TestBankAccount { number: "000333333335", name: "debitNotAuthorized" },
    TestBankAccount { number: "000444444440", name: "invalidCurrency" },
    TestBankAccount { number: "000555555559", name: "dispute" },
    TestBankAccount { number: "000666666661", name: "failMicrodeposits" },
    TestBankAccount { number: "000000000009", name: "processing" },
];

/// The card of that number.
pub fn card_of(number: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.number == number)
}

/// The card that a documented name stands for: of a token, or of a payment method.
pub fn card_named(name: &str) -> Option<&'static TestCard> {
    let row = name.strip_prefix("tok_").or_else(|| name.strip_prefix("pm_card_"))?;
    CARDS.iter().find(|card| card.named && card.name == row)
}

/// The card of that reference.
pub fn card_kept_as(reference: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.name == reference)
}

/// The first card that is like that.
pub fn card_like(like: impl Fn(&TestCard) -> bool) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| like(card))
}

/// The card that everybody begins with.
pub fn usual_card() -> &'static TestCard {
    &CARDS[0]
}

/// The bank account whose number ends like that, else the one with which all goes well.
pub fn bank_account_like(ending: &str) -> &'static TestBankAccount {
    let alike = BANK_ACCOUNTS.iter().find(|account| account.number.ends_with(ending));
    alike.unwrap_or(&BANK_ACCOUNTS[0])
}

/// The bank account of those numbers.
pub fn bank_account_of(routing_number: &str, number: &str) -> Option<&'static TestBankAccount> {
    BANK_ACCOUNTS.iter().find(|account| routing_number == ROUTING_NUMBER && account.number == number)
}

/// The bank account that a documented name stands for, and how far it is proven.
pub fn bank_account_named(name: &str) -> Option<(&'static TestBankAccount, BankStatus)> {
    match name {
        "btok_us" => bank_account_kept_as("success").zip(Some(BankStatus::New)),
        "btok_us_verified" => bank_account_kept_as("success").zip(Some(BankStatus::Verified)),
        _ => bank_account_kept_as(name.strip_prefix("pm_usBankAccount_")?).zip(Some(BankStatus::New)),
    }
}

/// The bank account of that reference.
pub fn bank_account_kept_as(reference: &str) -> Option<&'static TestBankAccount> {
    BANK_ACCOUNTS.iter().find(|account| account.name == reference)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BANK_ACCOUNTS, CARDS, bank_account_named, card_named, card_of};
    use crate::domain::secret::{CARD_DIGITS, has_check_digit};

    #[test]
    fn every_number_is_one_and_every_name_is_there_once() {
        for card in &CARDS {
            assert!(
                has_check_digit(card.number.as_bytes()) && CARD_DIGITS.contains(&card.number.len()),
                "{}",
                card.name
            );
            assert!(card_of(card.number).is_some_and(|first| first.brand == card.brand), "{}", card.name);
        }
        let names: BTreeSet<&str> = CARDS.iter().map(|card| card.name).collect();
        assert_eq!(names.len(), CARDS.len());
        let names: BTreeSet<&str> = BANK_ACCOUNTS.iter().map(|account| account.name).collect();
        assert_eq!(names.len(), BANK_ACCOUNTS.len());
    }

    #[test]
    fn documented_names_stand_for_numbers() {
        for (name, number) in [
            ("tok_visa", "4242424242424242"),
            ("pm_card_visa", "4242424242424242"),
            ("tok_us", "4242424242424242"),
            ("tok_br", "4000000760000002"),
            ("pm_card_th_debit", "4000057640000008"),
            ("tok_visa_chargeCustomerFailLostCard", "4000000000000341"),
            ("pm_card_authenticationRequiredOnSetup", "4000002500003155"),
        ] {
            assert_eq!(card_named(name).map(|card| card.number), Some(number), "{name}");
        }
        for name in ["visa", "tok_", "tok_jcb_second", "pm_visa", "tok_pm_card_visa", "btok_visa", "tok_success"] {
            assert!(card_named(name).is_none() && bank_account_named(name).is_none(), "{name}");
        }
        for name in ["btok_us", "btok_us_verified", "pm_usBankAccount_success", "pm_usBankAccount_dispute"] {
            assert!(bank_account_named(name).is_some(), "{name}");
        }
    }
}
