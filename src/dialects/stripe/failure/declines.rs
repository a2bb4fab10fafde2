//! The words for a declined card or bank account: docs.stripe.com/error-codes, docs.stripe.com/declines/codes.

use super::Refusal;
use crate::dialects::stripe::params::inside;
use crate::domain::decline::Decline;

const CARD: &str = "card_error";

impl Refusal {
    /// A card or a bank account that is not taken. What is wrong with a card is named by the bare parameter, wherever the
    /// card was: docs.stripe.com/error-codes. What is wrong with a bank account is named inside of the parameter that brought
    /// it.
    pub fn declined(decline: Decline, bank_account: &str) -> Refusal {
        let of_account = |name: &str, message: &str| Refusal::invalid(inside(bank_account, name), message);
        let card = |code, message: &str| Refusal::new(402, message).kind(CARD).code(code);
        let by_issuer = |reason, message: &str| card("card_declined", message).reason(reason);
        match decline {
            Decline::InvalidNumber => {
                card("invalid_number", "The card number is not a valid credit card number.").param("number")
            }
            Decline::IncorrectNumber => card("incorrect_number", "Your card number is incorrect.").param("number"),
            Decline::InvalidMonth => {
                card("invalid_expiry_month", "Your card's expiration month is invalid.").param("exp_month")
            }
            Decline::InvalidYear => {
                card("invalid_expiry_year", "Your card's expiration year is invalid.").param("exp_year")
            }
            Decline::InvalidCode => card("invalid_cvc", "Your card's security code is invalid.").param("cvc"),
            Decline::LiveCardInTestMode => by_issuer(
                "test_mode_live_card",
                "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of \
                 valid test cards, visit: https://stripe.com/docs/testing.",
            ),
            Decline::TestCardInLiveMode => by_issuer(
                "testmode_decline",
                "Your card was declined. Your request was in live mode, but used a known test card.",
            ),
            Decline::NoProcessor => card(
                "processing_error",
                "This server has no processor for real cards and bank accounts. Nothing was charged, and nothing of \
                 the number was kept.",
            ),
            Decline::Generic => by_issuer("generic_decline", "Your card was declined."),
            Decline::InsufficientFunds => by_issuer("insufficient_funds", "Your card has insufficient funds."),
            Decline::LostCard => by_issuer("lost_card", "Your card was declined."),
            Decline::StolenCard => by_issuer("stolen_card", "Your card was declined."),
            Decline::TooOften => by_issuer(
                "card_velocity_exceeded",
                "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
            ),
            Decline::Expired => {
                card("expired_card", "Your card has expired.").reason("expired_card").param("exp_month")
            }
            Decline::IncorrectCode => {
                card("incorrect_cvc", "Your card's security code is incorrect.").reason("incorrect_cvc").param("cvc")
            }
            Decline::ProcessingError => {
                card("processing_error", "An error occurred while processing your card. Try again in a little bit.")
                    .reason("processing_error")
            }
            Decline::InvalidRoutingNumber => {
                of_account("routing_number", "Routing number must have 9 digits and be a bank's.")
                    .code("routing_number_invalid")
            }
            Decline::InvalidAccountNumber => {
                of_account("account_number", "Account number must have 1 to 17 digits.").code("account_number_invalid")
            }
            Decline::LiveAccountInTestMode => of_account(
                "account_number",
                "You must use a test bank account number in test mode. Try 000123456789 or see more options at \
                 https://stripe.com/docs/connect/testing#account-numbers.",
            )
            .code("account_number_invalid"),
            Decline::TestAccountInLiveMode => {
                of_account("account_number", "You cannot use a test bank account number in live mode.")
                    .code("account_number_invalid")
            }
            Decline::BankCountry => of_account(
                "country",
                "This server takes bank accounts in the United States only: set the country to 'US'.",
            ),
            Decline::BankCurrency => of_account(
                "currency",
                "Bank accounts in the United States are in US dollars: set the currency to 'usd' or leave it out.",
            ),
        }
    }

    fn reason(self, code: &'static str) -> Refusal {
        Refusal { decline_code: Some(code), ..self }
    }
}
