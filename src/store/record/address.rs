//! The shapes of a postal address and of shipping details.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Text, borrowed, owned};
use crate::domain::address::{Address, Shipping};

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct AddressShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    street: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_line: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    neighbourhood: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ShippingShape<'a> {
    address: AddressShape<'a>,
    name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Text<'a>>,
}

impl<'a> From<&'a Address> for AddressShape<'a> {
    fn from(address: &'a Address) -> AddressShape<'a> {
        let Address {
            street,
            second_line,
            city,
            region,
            postal_code,
            country,
            country_name,
            neighbourhood,
            contact_name,
            company,
        } = address;
        AddressShape {
            street: borrowed(street),
            second_line: borrowed(second_line),
            city: borrowed(city),
            region: borrowed(region),
            postal_code: borrowed(postal_code),
            country: borrowed(country),
            country_name: borrowed(country_name),
            neighbourhood: borrowed(neighbourhood),
            contact_name: borrowed(contact_name),
            company: borrowed(company),
        }
    }
}

impl From<AddressShape<'_>> for Address {
    fn from(shape: AddressShape<'_>) -> Address {
        let AddressShape {
            street,
            second_line,
            city,
            region,
            postal_code,
            country,
            country_name,
            neighbourhood,
            contact_name,
            company,
        } = shape;
        Address {
            street: owned(street),
            second_line: owned(second_line),
            city: owned(city),
            region: owned(region),
            postal_code: owned(postal_code),
            country: owned(country),
            country_name: owned(country_name),
            neighbourhood: owned(neighbourhood),
            contact_name: owned(contact_name),
            company: owned(company),
        }
    }
}

impl<'a> From<&'a Shipping> for ShippingShape<'a> {
    fn from(shipping: &'a Shipping) -> ShippingShape<'a> {
        let Shipping { address, name, phone } = shipping;
        ShippingShape { address: address.into(), name: Cow::Borrowed(name), phone: borrowed(phone) }
    }
}

impl From<ShippingShape<'_>> for Shipping {
    fn from(shape: ShippingShape<'_>) -> Shipping {
        let ShippingShape { address, name, phone } = shape;
        Shipping { address: address.into(), name: name.into_owned(), phone: owned(phone) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use crate::domain::address::{Address, Shipping};

    fn text() -> impl Strategy<Value = Option<String>> {
        option::of(any::<String>())
    }

    pub(crate) fn addresses() -> impl Strategy<Value = Address> {
        let postal = (text(), text(), text(), text(), text(), text());
        let other = (text(), text(), text(), text());
        (postal, other)
            .prop_map(
                |(
                    (street, second_line, city, region, postal_code, country),
                    (country_name, neighbourhood, contact_name, company),
                )| Address {
                    street,
                    second_line,
                    city,
                    region,
                    postal_code,
                    country,
                    country_name,
                    neighbourhood,
                    contact_name,
                    company,
                },
            )
            .boxed()
    }

    pub(crate) fn shippings() -> impl Strategy<Value = Shipping> {
        (addresses(), any::<String>(), text()).prop_map(|(address, name, phone)| Shipping { address, name, phone })
    }
}
