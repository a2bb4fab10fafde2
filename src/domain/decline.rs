//! Declines: why a card or a bank account is not taken. Whoever decides, the number's shape, the processor or the issuer,
//! a decline is the answer to a good request; each dialect has its own words for it.

use super::words::words;

words! {
    /// Why an instrument is not taken.
    pub enum Decline {
        // What was stated of a card cannot be true.
        /// The number has something else than digits in it, or too few or too many of them.
        InvalidNumber = "invalid_number",
        /// The number's check digit is wrong.
        IncorrectNumber = "incorrect_number",
        /// There is no such month, or it is over.
        InvalidMonth = "invalid_month",
        /// The year is over, or too far away.
        InvalidYear = "invalid_year",
        /// No security code has so many digits.
        InvalidCode = "invalid_code",

        // It is not for here.
        /// A card that no document names, where only documented ones work.
        LiveCardInTestMode = "live_card_in_test_mode",
        /// A documented test card where real ones are meant.
        TestCardInLiveMode = "test_card_in_live_mode",
        /// There is nobody to take real cards and bank accounts to.
        NoProcessor = "no_processor",

        // The issuer says no.
        /// And no more.
        Generic = "generic",
        /// There is too little money.
        InsufficientFunds = "insufficient_funds",
        /// It was reported lost.
        LostCard = "lost_card",
        /// It was reported stolen.
        StolenCard = "stolen_card",
        /// It has expired.
        Expired = "expired",
        /// The security code is wrong.
        IncorrectCode = "incorrect_code",
        /// It was used too often lately.
        TooOften = "too_often",
        /// Something went wrong on the way.
        ProcessingError = "processing_error",

        // Bank accounts.
        /// No bank has that routing number.
        InvalidRoutingNumber = "invalid_routing_number",
        /// No account has that number.
        InvalidAccountNumber = "invalid_account_number",
        /// An account that no document names, where only documented ones work.
        LiveAccountInTestMode = "live_account_in_test_mode",
        /// A documented test account where real ones are meant.
        TestAccountInLiveMode = "test_account_in_live_mode",
        /// Accounts in that country are not taken.
        BankCountry = "bank_country",
        /// Accounts in that country are not in that currency.
        BankCurrency = "bank_currency",
    }
}
