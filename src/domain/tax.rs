//! Where a customer is for tax. Locations come from the shipping address, else the billing address, else an IP
//! address; nothing here asks a network, so an IP address alone names no country.

use super::address::Address;
use super::customer::Customer;

/// Whether tax could be worked out for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutomaticTax {
    /// The location is known.
    Supported,
    /// There is no location, or it cannot be told.
    UnrecognizedLocation,
}

/// Which fact a location came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationSource {
    /// The billing address.
    BillingAddress,
    /// The shipping address.
    ShippingDestination,
}

/// A tax location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLocation {
    /// Two-letter country code, upper-case.
    pub country: String,
    /// State, county, province.
    pub region: Option<String>,
    /// Where it came from.
    pub source: LocationSource,
}

impl Customer {
    /// Where the customer is for tax, if its addresses tell.
    pub fn tax_location(&self) -> Option<TaxLocation> {
        let shipping = self.shipping.as_ref().map(|shipping| (&shipping.address, LocationSource::ShippingDestination));
        let billing = self.address.as_ref().map(|address| (address, LocationSource::BillingAddress));
        shipping.into_iter().chain(billing).find_map(|(address, source)| located(address, source))
    }

    /// Whether tax could be worked out.
    pub fn automatic_tax(&self) -> AutomaticTax {
        match self.tax_location() {
            Some(_) => AutomaticTax::Supported,
            None => AutomaticTax::UnrecognizedLocation,
        }
    }
}

/// A country code is enough, except in the United States (a ZIP code) and Canada (a postal code or a province), where
/// tax depends on more: docs.stripe.com/tax/customer-locations.
fn located(address: &Address, source: LocationSource) -> Option<TaxLocation> {
    let country = address.country.as_deref()?;
    let known = country.len() == 2 && (rust_iso3166::from_alpha2(country).is_some() || country == "XK");
    let precise = match country {
        "US" => address.postal_code.is_some(),
        "CA" => address.postal_code.is_some() || address.region.is_some(),
        _ => true,
    };
    (known && precise).then(|| TaxLocation { country: country.to_owned(), region: address.region.clone(), source })
}
