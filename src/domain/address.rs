//! A postal address and the shipping details that carry one.

/// A postal address. Parts that are not known are `None`; an address may be empty altogether.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Street and number.
    pub street: Option<String>,
    /// Apartment, suite, building.
    pub second_line: Option<String>,
    /// City or town.
    pub city: Option<String>,
    /// State, county, province.
    pub region: Option<String>,
    /// ZIP or postal code.
    pub postal_code: Option<String>,
    /// Country as given, upper-case.
    pub country: Option<String>,
}

/// Where and to whom goods are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipping {
    /// Where to.
    pub address: Address,
    /// The recipient's name.
    pub name: String,
    /// The recipient's phone.
    pub phone: Option<String>,
}
