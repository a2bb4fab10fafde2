//! Declines: why a card or a bank account is not taken. Whoever decides, the number's shape, the processor or the issuer,
//! a decline is the answer to a good request; each dialect has its own words for it.

/// Why an instrument is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decline {
    // What was stated of a card cannot be true.
    /// The number has something else than digits in it, or too few or too many of them.
    InvalidNumber,
    /// The number's check digit is wrong.
    IncorrectNumber,
    /// There is no such month, or it is over.
    InvalidMonth,
    /// The year is over, or too far away.
    InvalidYear,
    /// No security code has so many digits.
    InvalidCode,

    // It is not for here.
    /// A card that no document names, where only documented ones work.
    LiveCardInTestMode,
    /// A documented test card where real ones are meant.
    TestCardInLiveMode,
    /// There is nobody to take real cards and bank accounts to.
    NoProcessor,

    // The issuer says no.
    /// And no more.
    Generic,
    /// There is too little money.
    InsufficientFunds,
    /// It was reported lost.
    LostCard,
    /// It was reported stolen.
    StolenCard,
    /// It has expired.
    Expired,
    /// The security code is wrong.
    IncorrectCode,
    /// It was used too often lately.
    TooOften,
    /// Something went wrong on the way.
    ProcessingError,

    // Bank accounts.
    /// No bank has that routing number.
    InvalidRoutingNumber,
    /// No account has that number.
    InvalidAccountNumber,
    /// An account that no document names, where only documented ones work.
    LiveAccountInTestMode,
    /// A documented test account where real ones are meant.
    TestAccountInLiveMode,
    /// Accounts in that country are not taken.
    BankCountry,
    /// Accounts in that country are not in that currency.
    BankCurrency,
}
