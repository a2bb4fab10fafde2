//! A postal address and the shipping details that carry one. Three APIs speak of them and none knows all parts, so a change
//! says which parts it speaks of.

use super::country;
use super::term::letters_without_case;

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
    /// Country: its two-letter code, upper-case, or a text that names none, as given.
    pub country: Option<String>,
    /// The text that named the country, where that is not what [`country::name`] says, or where it was chosen for the code.
    pub country_name: Option<String>,
    /// Part of the city.
    pub neighbourhood: Option<String>,
    /// Whom to ask for at the address.
    pub contact_name: Option<String>,
    /// The company at the address.
    pub company: Option<String>,
}

/// The parts of an address that every API knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postal {
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
    /// Country: its two-letter code, or a text that names none.
    pub country: Option<String>,
}

impl From<Postal> for Address {
    fn from(postal: Postal) -> Address {
        let Postal { street, second_line, city, region, postal_code, country } = postal;
        Address { street, second_line, city, region, postal_code, country, ..Address::default() }
    }
}

/// What a change puts in the place of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewAddress {
    /// All of another one. A country that is named as before stays as it was written.
    Whole(Address),
    /// Other postal parts. What they cannot say stays: the contact and the company, the neighbourhood as long as the place
    /// is the same, and the words for the country as long as it is.
    Postal(Postal),
    /// The same, with the country as it was written: by that name, or by its code.
    Written(Postal, Option<String>),
}

impl NewAddress {
    /// The address that there is afterwards.
    pub fn onto(self, known: Option<&Address>) -> Address {
        match (self, known) {
            (NewAddress::Whole(address), Some(known))
                if address.country == known.country && address.named_country() == known.named_country() =>
            {
                Address { country_name: known.country_name.clone(), ..address }
            }
            (NewAddress::Whole(address), _) => address,
            (NewAddress::Written(postal, country_name), known) => {
                Address { country_name, ..NewAddress::Postal(postal).onto(known) }
            }
            (NewAddress::Postal(postal), None) => postal.into(),
            (NewAddress::Postal(postal), Some(known)) => known.at(postal),
        }
    }
}

impl Address {
    /// The country by a name: as it was written, else by the code.
    pub fn named_country(&self) -> Option<&str> {
        let code = self.country.as_deref();
        self.country_name.as_deref().or_else(|| code.and_then(country::name)).or(code)
    }

    /// The address with other postal parts.
    fn at(&self, postal: Postal) -> Address {
        let same_country = same_text(&self.country, &postal.country);
        let same_place = same_country
            && self.street == postal.street
            && self.city == postal.city
            && self.postal_code == postal.postal_code;
        let Postal { street, second_line, city, region, postal_code, country } = postal;
        Address {
            street,
            second_line,
            city,
            region,
            postal_code,
            country: if same_country { self.country.clone() } else { country },
            country_name: self.country_name.clone().filter(|_| same_country),
            neighbourhood: self.neighbourhood.clone().filter(|_| same_place),
            contact_name: self.contact_name.clone(),
            company: self.company.clone(),
        }
    }
}

/// Whether both are missing or the same without case: countries come back in upper case from those who know codes only.
fn same_text(one: &Option<String>, two: &Option<String>) -> bool {
    match (one, two) {
        (None, None) => true,
        (Some(one), Some(two)) => letters_without_case(one).eq(letters_without_case(two)),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Where and to whom goods are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipping {
    /// Where to.
    pub address: Address,
    /// The recipient's name, which is not the contact's at the address.
    pub name: String,
    /// The recipient's phone.
    pub phone: Option<String>,
}

/// What a change puts in the place of shipping details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewShipping {
    /// Another recipient at other postal parts; see [`NewAddress::Postal`].
    Details {
        /// Where to.
        address: Postal,
        /// The recipient's name.
        name: String,
        /// The recipient's phone.
        phone: Option<String>,
    },
    /// All of another address. A recipient who is not the contact at the address stays; the contact is followed.
    Address(Address),
}

impl NewShipping {
    /// The shipping details that there are afterwards.
    pub fn onto(self, known: Option<&Shipping>) -> Shipping {
        match (self, known) {
            (NewShipping::Details { address, name, phone }, known) => {
                let address = NewAddress::Postal(address).onto(known.map(|known| &known.address));
                Shipping { address, name, phone }
            }
            (NewShipping::Address(address), Some(known)) => {
                let was_contact = known.address.contact_name.as_ref() == Some(&known.name);
                let follows = address.contact_name.as_ref().filter(|_| was_contact);
                Shipping { name: follows.unwrap_or(&known.name).clone(), address, phone: known.phone.clone() }
            }
            (NewShipping::Address(address), None) => {
                let name = address.contact_name.clone().unwrap_or_default();
                Shipping { address, name, phone: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, NewAddress, NewShipping, Postal, Shipping};

    fn postal() -> Postal {
        Postal {
            street: Some("Herengracht 1".into()),
            second_line: None,
            city: Some("Amsterdam".into()),
            region: None,
            postal_code: Some("1015 BA".into()),
            country: Some("NL".into()),
        }
    }

    fn known() -> Address {
        Address {
            country_name: Some("Nederland".into()),
            neighbourhood: Some("Centrum".into()),
            contact_name: Some("Jane Doe".into()),
            company: Some("Acme".into()),
            ..postal().into()
        }
    }

    #[test]
    fn the_same_postal_parts_change_nothing() {
        assert_eq!(NewAddress::Postal(postal()).onto(Some(&known())), known());
        let in_capitals = Address { country: Some("Atlantis".into()), country_name: None, ..known() };
        let again = Postal { country: Some("ATLANTIS".into()), ..postal() };
        assert_eq!(NewAddress::Postal(again).onto(Some(&in_capitals)), in_capitals);
    }

    #[test]
    fn other_postal_parts_keep_what_they_cannot_say() {
        let with = |change: fn(&mut Postal)| {
            let mut postal = postal();
            change(&mut postal);
            NewAddress::Postal(postal).onto(Some(&known()))
        };
        let inside = with(|postal| {
            postal.second_line = Some("2".into());
            postal.region = Some("NH".into());
        });
        assert_eq!(inside.neighbourhood, known().neighbourhood);
        let changes: [fn(&mut Postal); 4] = [
            |postal| postal.street = None,
            |postal| postal.city = Some("Utrecht".into()),
            |postal| postal.postal_code = Some("1015 BB".into()),
            |postal| postal.country = Some("BE".into()),
        ];
        for change in changes {
            let moved = with(change);
            assert_eq!(moved.neighbourhood, None, "{moved:?}");
            assert_eq!((&moved.contact_name, &moved.company), (&known().contact_name, &known().company));
            assert_eq!(moved.country_name.is_some(), moved.country == known().country, "{moved:?}");
        }
    }

    #[test]
    fn a_country_is_named_as_it_was_written() {
        let written = Address { country: Some("NL".into()), country_name: Some("Nederland".into()), ..known() };
        let cases = [
            (written.clone(), Some("Nederland")),
            (Address { country_name: None, ..written.clone() }, Some("Netherlands")),
            (Address { country: Some("ATLANTIS".into()), country_name: None, ..written }, Some("ATLANTIS")),
            (Address::default(), None),
        ];
        for (address, wanted) in cases {
            assert_eq!(address.named_country(), wanted);
        }
    }

    #[test]
    fn a_whole_address_leaves_nothing_of_the_old_one() {
        let bare = Address { street: Some("Elsewhere 1".into()), ..Address::default() };
        assert_eq!(NewAddress::Whole(bare.clone()).onto(Some(&known())), bare);
    }

    #[test]
    fn a_country_that_is_named_as_before_is_written_as_before() {
        let by_name = NewAddress::Written(postal(), Some("Netherlands".into())).onto(None);
        assert_eq!(by_name.country_name.as_deref(), Some("Netherlands"));
        let again = Address { country_name: None, ..by_name.clone() };
        assert_eq!(NewAddress::Whole(again.clone()).onto(Some(&by_name)), by_name);
        assert_eq!(NewAddress::Whole(known()).onto(Some(&by_name)), known(), "another name is another one");
        assert_eq!(NewAddress::Written(postal(), None).onto(Some(&by_name)), again, "a code is written as a code");
        assert_eq!(NewAddress::Postal(postal()).onto(Some(&by_name)), by_name, "to some it is a code in any case");
    }

    #[test]
    fn a_recipient_who_is_the_contact_is_followed() {
        let at = |contact: &str| Address { contact_name: Some(contact.into()), ..Address::default() };
        let zed = NewShipping::Address(at("Zed")).onto(None);
        assert_eq!(zed.name, "Zed");
        let amy = NewShipping::Address(at("Amy")).onto(Some(&zed));
        assert_eq!(amy.name, "Amy");
        let desk = NewShipping::Details { address: Postal::default(), name: "Desk".into(), phone: None };
        let desk = desk.onto(Some(&amy));
        assert_eq!(NewShipping::Address(at("Bob")).onto(Some(&desk)).name, "Desk");
    }

    #[test]
    fn a_recipient_stays_when_only_the_address_is_set() {
        let known = Shipping { address: known(), name: "Reception".into(), phone: Some("+31201234567".into()) };
        let other = Address { contact_name: Some("Ann".into()), ..Address::default() };
        let after = NewShipping::Address(other.clone()).onto(Some(&known));
        assert_eq!(after, Shipping { address: other.clone(), ..known.clone() });
        assert_eq!(NewShipping::Address(other).onto(None).name, "Ann");

        let again = NewShipping::Details { address: postal(), name: known.name.clone(), phone: known.phone.clone() };
        assert_eq!(again.onto(Some(&known)), known);
    }
}
