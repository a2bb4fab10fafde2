//! Where a customer sends money to: docs.stripe.com/payments/customer-balance/funding-instructions. There is no bank
//! behind this server. In test mode there is one that does not exist, whose account numbers follow from the customer's id.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::expand::{self, Expansions};
use super::failure::{Names, Refusal};
use super::lists::{EXPAND, row};
use super::params::{self, Kind, Param, Shape, word};
use super::{Answer, Call, Plan};
use crate::domain::account::Mode;
use crate::domain::cash::BankTransfer;
use crate::domain::ids::CustomerId;
use crate::domain::money::Currency;
use crate::engine::customers;
use crate::http::json::{Json, Object};

const FUNDING_TYPE: Shape = Shape::Choice(&[word("bank_transfer")]);
const BANK_TRANSFER: Shape = Shape::Choice(&[
    word("eu_bank_transfer"),
    word("gb_bank_transfer"),
    word("jp_bank_transfer"),
    word("mx_bank_transfer"),
    word("us_bank_transfer"),
]);
const ADDRESS_TYPE: Shape = Shape::Choice(&[word("iban"), word("sort_code"), word("spei"), word("zengin")]);
const ADDRESS_TYPES: Shape = Shape::List(&ADDRESS_TYPE, 4);
// Where the schema lists the values of a country, it lists these.
const COUNTRY: Shape = Shape::Choice(&[word("DE"), word("FR"), word("IE"), word("NL")]);

/// What is asked for.
#[derive(Default)]
pub struct Create {
    by: Option<BankTransfer>,
    country: Option<String>,
    requested: Option<Vec<Scheme>>,
    currency: Option<Currency>,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/customers/{customer}/funding_instructions`.
pub const CREATE: &[Param<Create>] = &[
    Param { required: true, ..row("bank_transfer", Kind::Group(TRANSFER)) },
    Param {
        required: true,
        ..row("currency", Kind::Value(&Shape::Currency, |input, value| input.currency = Some(value.currency())))
    },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    // There is one type, so naming it says nothing more.
    Param { required: true, ..row("funding_type", Kind::Value(&FUNDING_TYPE, |_, _| {})) },
];

const TRANSFER: &[Param<Create>] = &[
    row("eu_bank_transfer", Kind::Group(&[EU_COUNTRY])),
    row(
        "requested_address_types",
        Kind::Value(&ADDRESS_TYPES, |input, value| {
            let wanted = value.texts();
            input.requested =
                Some(Scheme::ALL.into_iter().filter(|scheme| wanted.iter().any(|it| it == scheme.word())).collect());
        }),
    ),
    Param {
        required: true,
        ..row(
            "type",
            Kind::Value(&BANK_TRANSFER, |input, value| {
                let wanted = value.text();
                input.by = BankTransfer::ALL.into_iter().find(|by| name(*by) == wanted);
            }),
        )
    },
];

const EU_COUNTRY: Param<Create> = Param {
    required: true,
    ..row("country", Kind::Value(&COUNTRY, |input: &mut Create, value| input.country = Some(value.text())))
};

/// `POST /v1/customers/{customer}/funding_instructions`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    if call.account.mode == Mode::Live {
        return Err(Refusal::no_bank());
    }
    let input: Create = params::read(CREATE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::FUNDING_INSTRUCTIONS, &call.version)?;
    let wish = Wish::of(input)?;
    let id = CustomerId(call.part(0)?);
    // It changes nothing; but a POST with an idempotency key is answered like any other.
    Ok(Plan::write(Names::CUSTOMER_BY_PATH, move |call, tx, ctx| {
        let customer = customers::live(tx, ctx.account, &id)?;
        Ok(Answer::of(wish.object(&customer.id, call.account.mode)))
    }))
}

/// What is asked for, once its parts fit together.
struct Wish {
    by: BankTransfer,
    country: String,
    schemes: Vec<Scheme>,
}

impl Wish {
    fn of(input: Create) -> Result<Wish, Refusal> {
        let Create { by, country, requested, currency, expand: _ } = input;
        let by = by.ok_or_else(|| Refusal::missing_parameter("bank_transfer[type]"))?;
        let currency = currency.ok_or_else(|| Refusal::missing_parameter("currency"))?;
        match BankTransfer::of(currency) {
            None => return Err(Refusal::not_by_bank_transfer("currency", currency)),
            Some(own) if own != by => return Err(Refusal::other_bank_transfer("currency", name(by), by, currency)),
            Some(_) => {}
        }
        let param = "bank_transfer[eu_bank_transfer]";
        let country = match (by, country) {
            (BankTransfer::Eu, Some(country)) => country,
            (BankTransfer::Eu, None) => return Err(Refusal::missing_parameter(param)),
            (BankTransfer::Gb | BankTransfer::Jp | BankTransfer::Mx | BankTransfer::Us, Some(_)) => {
                return Err(Refusal::of_other_bank_transfer(param, name(BankTransfer::Eu), name(by)));
            }
            (BankTransfer::Gb, None) => "GB".to_owned(),
            (BankTransfer::Jp, None) => "JP".to_owned(),
            (BankTransfer::Mx, None) => "MX".to_owned(),
            (BankTransfer::Us, None) => "US".to_owned(),
        };
        let schemes = requested.unwrap_or_else(|| schemes(by).to_vec());
        match schemes.iter().find(|scheme| !self::schemes(by).contains(scheme)) {
            Some(strange) => {
                let param = "bank_transfer[requested_address_types]";
                Err(Refusal::no_such_address(param, strange.word(), name(by)))
            }
            None => Ok(Wish { by, country, schemes }),
        }
    }

    fn object(&self, customer: &CustomerId, mode: Mode) -> Json {
        let Wish { by, country, schemes } = self;
        let number = account_number(customer, *by);
        let address = |scheme: &Scheme| {
            let networks: Vec<Json> = scheme.networks().iter().map(|network| Json::from(*network)).collect();
            let account = scheme.account(country, number);
            let address = Object::new().and("supported_networks", networks).and("type", scheme.word());
            let mut address = address.and(scheme.word(), account);
            address.sort_from(0);
            Json::from(address)
        };
        let addresses: Vec<Json> = schemes.iter().map(address).collect();
        let bank_transfer =
            Object::new().and("country", country).and("financial_addresses", addresses).and("type", name(*by));
        Object::new()
            .and("object", "funding_instructions")
            .and("bank_transfer", bank_transfer)
            .and("currency", by.currency().as_str().to_owned())
            .and("funding_type", "bank_transfer")
            .and("livemode", mode == Mode::Live)
            .into()
    }
}

/// The name of a bank transfer.
pub fn name(by: BankTransfer) -> &'static str {
    match by {
        BankTransfer::Eu => "eu_bank_transfer",
        BankTransfer::Gb => "gb_bank_transfer",
        BankTransfer::Jp => "jp_bank_transfer",
        BankTransfer::Mx => "mx_bank_transfer",
        BankTransfer::Us => "us_bank_transfer",
    }
}

/// Who sends all that the test helper makes arrive; `None` where the schema has no place for a sender.
pub fn sender(by: BankTransfer) -> Option<Object> {
    match by {
        BankTransfer::Eu => {
            Some(Object::new().and("bic", bic("DE")).and("iban_last4", "0000").and("sender_name", SENDER))
        }
        BankTransfer::Gb => Some(
            Object::new().and("account_number_last4", "0000").and("sender_name", SENDER).and("sort_code", SORT_CODE),
        ),
        BankTransfer::Jp => {
            Some(Object::new().and("sender_bank", BANK).and("sender_branch", BRANCH).and("sender_name", SENDER))
        }
        BankTransfer::Mx => None,
        BankTransfer::Us => Some(Object::new().and("network", "ach").and("sender_name", SENDER)),
    }
}

// No bank has these codes, and none could: they are of the right shape and consist of zeros.
const BANK: &str = "TEST BANK";
const BRANCH: &str = "TEST BRANCH";
const HOLDER: &str = "Test Account Holder";
const SENDER: &str = "Test Sender";
const SORT_CODE: &str = "000000";
const ROUTING_NUMBER: &str = "000000000";

/// A BIC of the test bank: the zero in its eighth place marks a BIC that is only for tests.
fn bic(country: &str) -> String {
    format!("TEST{country}T0XXX")
}

/// A scheme by which banks tell accounts from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Aba,
    Iban,
    SortCode,
    Spei,
    Swift,
    Zengin,
}

/// The schemes that a bank transfer has, in the order in which they are shown.
fn schemes(by: BankTransfer) -> &'static [Scheme] {
    match by {
        BankTransfer::Eu => &[Scheme::Iban],
        BankTransfer::Gb => &[Scheme::SortCode],
        BankTransfer::Jp => &[Scheme::Zengin],
        BankTransfer::Mx => &[Scheme::Spei],
        BankTransfer::Us => &[Scheme::Aba, Scheme::Swift],
    }
}

impl Scheme {
    const ALL: [Scheme; 6] = [Scheme::Aba, Scheme::Iban, Scheme::SortCode, Scheme::Spei, Scheme::Swift, Scheme::Zengin];

    fn word(self) -> &'static str {
        match self {
            Scheme::Aba => "aba",
            Scheme::Iban => "iban",
            Scheme::SortCode => "sort_code",
            Scheme::Spei => "spei",
            Scheme::Swift => "swift",
            Scheme::Zengin => "zengin",
        }
    }

    fn networks(self) -> &'static [&'static str] {
        match self {
            Scheme::Aba => &["ach", "domestic_wire_us"],
            Scheme::Iban => &["sepa"],
            Scheme::SortCode => &["bacs", "fps"],
            Scheme::Spei => &["spei"],
            Scheme::Swift => &["swift"],
            Scheme::Zengin => &["zengin"],
        }
    }

    /// The account of that number at the test bank, as this scheme tells it.
    fn account(self, country: &str, number: u64) -> Object {
        let account = Object::new()
            .and("account_holder_address", address(country))
            .and("account_holder_name", HOLDER)
            .and("bank_address", address(country));
        let mut account = match self {
            Scheme::Aba => account
                .and("account_number", format!("{number:012}"))
                .and("account_type", "checking")
                .and("bank_name", BANK)
                .and("routing_number", ROUTING_NUMBER),
            Scheme::Iban => {
                account.and("bic", bic(country)).and("country", country.to_owned()).and("iban", iban(country, number))
            }
            Scheme::SortCode => {
                account.and("account_number", format!("{:08}", number % 100_000_000)).and("sort_code", SORT_CODE)
            }
            Scheme::Spei => {
                account.and("bank_code", &CLABE_HEAD[..3]).and("bank_name", BANK).and("clabe", clabe(number))
            }
            Scheme::Swift => account
                .and("account_number", format!("{number:012}"))
                .and("account_type", "checking")
                .and("bank_name", BANK)
                .and("swift_code", bic(country)),
            Scheme::Zengin => account
                .and("account_number", format!("{:07}", number % 10_000_000))
                .and("account_type", "futsu")
                .and("bank_code", "0000")
                .and("bank_name", BANK)
                .and("branch_code", "000")
                .and("branch_name", BRANCH),
        };
        account.sort_from(0);
        account
    }
}

/// The address of the test bank, and of who has accounts there.
fn address(country: &str) -> Object {
    Object::new()
        .and("city", "Testville")
        .and("country", country.to_owned())
        .and("line1", "1 Test Street")
        .and("line2", Json::Null)
        .and("postal_code", "00000")
        .and("state", Json::Null)
}

/// At most ten digits, always the same for one customer and one bank transfer. Two customers may share them where an
/// address shows fewer digits: nothing is found by them.
fn account_number(customer: &CustomerId, by: BankTransfer) -> u64 {
    let digest = Sha256::new().chain_update(name(by)).chain_update("\0").chain_update(customer.as_str()).finalize();
    u64::from_be_bytes(std::array::from_fn(|place| digest[place])) % 10_000_000_000
}

/// An IBAN as long as the country has them, with right check digits.
fn iban(country: &str, number: u64) -> String {
    let account = match country {
        // Bank, branch and account; the last two digits check them.
        "FR" => format!("0000000000{number:011}{:02}", 97 - 3 * number % 97),
        "IE" => format!("TEST{SORT_CODE}{:08}", number % 100_000_000),
        "NL" => format!("TEST{number:010}"),
        _ => format!("00000000{number:010}"),
    };
    format!("{country}{:02}{account}", 98 - modulo_97(&format!("{account}{country}00")))
}

/// The remainder of an IBAN whose first four characters were moved to its end; a letter counts as two digits, from 10.
fn modulo_97(rotated: &str) -> u32 {
    rotated.chars().filter_map(|letter| letter.to_digit(36)).fold(0, |rest, digit| {
        let shifted = if digit < 10 { rest * 10 } else { rest * 100 };
        (shifted + digit) % 97
    })
}

/// Bank and city of the test bank's CLABE numbers.
const CLABE_HEAD: &str = "000000";

/// A CLABE number: bank, city and account, then a digit that checks them with the weights 3, 7 and 1.
fn clabe(number: u64) -> String {
    let digits = format!("{CLABE_HEAD}{number:011}");
    let weighted = digits.chars().filter_map(|digit| digit.to_digit(10)).zip([3, 7, 1].into_iter().cycle());
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight % 10).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::{CREATE, TRANSFER, account_number, clabe, iban, modulo_97};
    use crate::domain::cash::BankTransfer;
    use crate::domain::ids::CustomerId;

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(CREATE.is_sorted_by_key(|param| param.name));
        assert!(TRANSFER.is_sorted_by_key(|param| param.name));
    }

    #[test]
    fn an_iban_is_as_long_as_its_country_has_it_and_checks() {
        // GB82 WEST 1234 5698 7654 32, the example that textbooks share; there is no such bank.
        assert_eq!(modulo_97("WEST12345698765432GB00"), 98 - 82);
        for (country, length) in [("DE", 22), ("FR", 27), ("IE", 22), ("NL", 18)] {
            for number in [0, 7, 9_999_999_999] {
                let iban = iban(country, number);
                assert_eq!(iban.len(), length, "{iban}");
                assert_eq!(modulo_97(&format!("{}{}", &iban[4..], &iban[..4])), 1, "{iban}");
            }
        }
    }

    #[test]
    fn a_clabe_has_eighteen_digits() {
        assert_eq!(clabe(0), "000000000000000000");
        assert_eq!(clabe(12_345_678), "000000000123456780");
    }

    #[test]
    fn a_customer_has_a_number_for_each_bank_transfer() {
        let (one, other) = (CustomerId("cus_1".into()), CustomerId("cus_2".into()));
        // printf 'eu_bank_transfer\0cus_1' | sha256sum, the first eight bytes
        assert_eq!(account_number(&one, BankTransfer::Eu), 8_600_111_661);
        assert_ne!(account_number(&one, BankTransfer::Eu), account_number(&one, BankTransfer::Gb));
        assert_ne!(account_number(&one, BankTransfer::Eu), account_number(&other, BankTransfer::Eu));
    }
}
