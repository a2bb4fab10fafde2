//! Refusals about the cash balance of a customer. Stripe's documents give none of these texts.

use super::Refusal;
use crate::domain::cash::BankTransfer;
use crate::domain::money::Currency;

/// What a cash transaction is called.
pub const CASH_TRANSACTION: &str = "customer_cash_balance_transaction";

impl Refusal {
    /// A helper of tests in live mode.
    pub fn test_mode_only() -> Refusal {
        Refusal::new(400, "This endpoint is a test helper. You can only use it in test mode, with a test mode API key.")
    }

    /// Instructions to send money to a bank that is not there.
    pub fn no_bank() -> Refusal {
        Refusal::new(
            400,
            "This server has no bank that could receive money in live mode, so there are no funding instructions. In \
             test mode there are some of a bank that does not exist.",
        )
    }

    /// A currency that no bank transfer is in.
    pub fn not_by_bank_transfer(param: &str, given: Currency) -> Refusal {
        let known = BankTransfer::ALL.map(|by| by.currency().to_string());
        Refusal::invalid(
            param,
            format!(
                "Invalid currency: {given}. A cash balance is funded by bank transfers, in these currencies: {}",
                known.join(", ")
            ),
        )
    }

    /// A bank transfer of another currency than was asked for.
    pub fn other_bank_transfer(param: &str, name: &str, by: BankTransfer, given: Currency) -> Refusal {
        let sent = by.currency();
        Refusal::invalid(param, format!("Invalid currency: {given}. With {name}, the currency must be {sent}."))
    }

    /// A parameter of another bank transfer than was asked for.
    pub fn of_other_bank_transfer(param: &str, belongs_to: &str, given: &str) -> Refusal {
        Refusal::invalid(param, format!("This parameter belongs to {belongs_to}; you asked for {given}."))
    }

    /// A sort of bank address that the bank transfer does not have.
    pub fn no_such_address(param: &str, given: &str, name: &str) -> Refusal {
        Refusal::invalid(param, format!("Invalid address type: {given} is not an address for {name}."))
    }

    pub(super) fn cash_out_of_range() -> Refusal {
        Refusal::invalid("amount", "The customer's cash balance would be out of range.")
    }

    pub(super) fn cash_held() -> Refusal {
        Refusal::new(400, "This customer cannot be deleted, because it has a cash balance.")
    }
}
