//! The names of a customer: some APIs know one full name, another given and family name. Each is shown all of them, and a
//! customer is changed by either.

use super::address::Address;
use super::customer::Customer;
use super::patch::Patch;

/// Given and family name, as an API shows them that knows no full name. Either may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoNames<'a> {
    /// Given name.
    pub given: &'a str,
    /// Family name.
    pub family: &'a str,
}

impl<'a> TwoNames<'a> {
    /// The last word of a full name is taken for the family name, unless it is the only one.
    fn of(full: &'a str) -> TwoNames<'a> {
        let full = full.trim();
        match full.rsplit_once(char::is_whitespace) {
            Some((given, family)) => TwoNames { given: given.trim_end(), family },
            None => TwoNames { given: full, family: "" },
        }
    }

    /// Both in one, or none of them.
    fn joined(self) -> Option<String> {
        let TwoNames { given, family } = self;
        match (given.is_empty(), family.is_empty()) {
            (true, true) => None,
            (false, true) => Some(given.to_owned()),
            (true, false) => Some(family.to_owned()),
            (false, false) => Some(format!("{given} {family}")),
        }
    }
}

impl Customer {
    /// Given and family name: as they were given, else as the full name tells.
    pub fn two_names(&self) -> TwoNames<'_> {
        match (&self.given_name, &self.family_name) {
            (None, None) => TwoNames::of(self.name.as_deref().unwrap_or_default()),
            (given, family) => {
                TwoNames { given: given.as_deref().unwrap_or_default(), family: family.as_deref().unwrap_or_default() }
            }
        }
    }

    /// Whom to ask for at the billing address, where somebody has to be named: the contact there, else the customer by name
    /// or else by e-mail address.
    pub fn billing_contact(&self) -> &str {
        let at_address = self.address.as_ref().and_then(|address| address.contact_name.as_deref());
        at_address.unwrap_or_else(|| self.addressee())
    }

    /// The same at the shipping address, where the recipient is asked for before the customer.
    pub fn shipping_contact(&self) -> &str {
        let known = self.shipping.as_ref().and_then(|shipping| {
            let recipient = Some(shipping.name.as_str()).filter(|name| !name.is_empty());
            shipping.address.contact_name.as_deref().or(recipient)
        });
        known.unwrap_or_else(|| self.addressee())
    }

    /// Leaves an address without a contact where it had none and is given the one that is shown there anyway: whoever sends
    /// back what he was shown says nothing new.
    pub(super) fn forget_repeated_contacts(&mut self, before: &Customer) {
        let had_none = |known: Option<&Address>| known.is_some_and(|address| address.contact_name.is_none());
        if had_none(before.address.as_ref()) {
            let given = self.address.as_mut().and_then(|address| address.contact_name.take());
            let given = given.filter(|given| given != self.billing_contact());
            self.address.iter_mut().for_each(|address| address.contact_name.clone_from(&given));
        }
        if had_none(before.shipping.as_ref().map(|shipping| &shipping.address)) {
            let given = self.shipping.as_mut().and_then(|shipping| shipping.address.contact_name.take());
            let given = given.filter(|given| given != self.shipping_contact());
            self.shipping.iter_mut().for_each(|shipping| shipping.address.contact_name.clone_from(&given));
        }
    }

    fn addressee(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or_default()
    }

    /// Sets the full name. Another one says nothing of given and family name.
    pub(super) fn rename(&mut self, name: Patch<String>) {
        let before = self.name.clone();
        name.onto(&mut self.name);
        if self.name != before {
            (self.given_name, self.family_name) = (None, None);
        }
    }

    /// Sets given and family name, and with them the full name. The one that is not mentioned is the one that is shown; to
    /// say again what is shown changes nothing.
    pub(super) fn rename_in_parts(&mut self, given: Patch<String>, family: Patch<String>) {
        if given == Patch::Keep && family == Patch::Keep {
            return;
        }
        let shown = self.two_names();
        let part = |wish: Patch<String>, shown: &str| match wish {
            Patch::Keep => shown.to_owned(),
            Patch::Clear => String::new(),
            Patch::Set(name) => name,
        };
        let (given, family) = (part(given, shown.given), part(family, shown.family));
        let wanted = TwoNames { given: &given, family: &family };
        if wanted == shown {
            return;
        }
        self.name = wanted.joined();
        self.given_name = Some(given).filter(|name| !name.is_empty());
        self.family_name = Some(family).filter(|name| !name.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Shipping;
    use crate::domain::ids::CustomerId;
    use crate::domain::time::Time;

    fn named(name: &str) -> Customer {
        let mut customer = Customer::blank(CustomerId("cus_1".into()), "A1B2C3D4".into(), Time(5));
        customer.name = Some(name.to_owned()).filter(|name| !name.is_empty());
        customer
    }

    fn set(name: &str) -> Patch<String> {
        Patch::Set(name.into())
    }

    #[test]
    fn a_full_name_is_split_before_its_last_word() {
        let cases = [
            ("", ("", "")),
            ("Prince", ("Prince", "")),
            ("Jane Doe", ("Jane", "Doe")),
            ("Anna van der Berg", ("Anna van der", "Berg")),
            ("  Jane   Doe ", ("Jane", "Doe")),
        ];
        for (name, wanted) in cases {
            let customer = named(name);
            let TwoNames { given, family } = customer.two_names();
            assert_eq!((given, family), wanted, "{name:?}");
        }
    }

    #[test]
    fn given_and_family_name_make_the_full_name() {
        let mut customer = named("");
        customer.rename_in_parts(set("Anna"), set("van der Berg"));
        assert_eq!(customer.name.as_deref(), Some("Anna van der Berg"));
        assert_eq!(customer.two_names(), TwoNames { given: "Anna", family: "van der Berg" });
        customer.rename_in_parts(set("Anne"), Patch::Keep);
        assert_eq!(customer.name.as_deref(), Some("Anne van der Berg"));
        customer.rename_in_parts(Patch::Clear, Patch::Clear);
        assert_eq!(customer, named(""));
    }

    #[test]
    fn a_part_that_is_not_mentioned_is_the_one_shown() {
        let mut customer = named("Anna van der Berg");
        customer.rename_in_parts(Patch::Keep, set("Visser"));
        assert_eq!(customer.name.as_deref(), Some("Anna van der Visser"));
        let mut customer = named("Prince");
        customer.rename_in_parts(set("Rogers"), Patch::Keep);
        assert_eq!((customer.name.as_deref(), customer.family_name.as_deref()), (Some("Rogers"), None));
    }

    #[test]
    fn saying_what_is_shown_changes_nothing() {
        for name in ["Jane  Doe", "Prince", "Anna van der Berg"] {
            let mut customer = named(name);
            let TwoNames { given, family } = customer.two_names();
            let (given, family) = (set(given), set(family));
            customer.rename_in_parts(given, family);
            assert_eq!(customer, named(name));
        }
    }

    #[test]
    fn another_full_name_forgets_the_parts_and_the_same_does_not() {
        let mut customer = named("");
        customer.rename_in_parts(set("Anna"), set("van der Berg"));
        let before = customer.clone();
        customer.rename(set("Anna van der Berg"));
        customer.rename(Patch::Keep);
        assert_eq!(customer, before);
        customer.rename(set("Anna Visser"));
        assert_eq!(customer, named("Anna Visser"));
        customer.rename(Patch::Clear);
        assert_eq!(customer, named(""));
    }

    #[test]
    fn a_contact_that_is_shown_anyway_is_not_kept() {
        let with_contact = |name: Option<&str>| Address { contact_name: name.map(str::to_owned), ..Address::default() };
        let after = |had: Option<&str>, given: Option<&str>| {
            let before = Customer { address: Some(with_contact(had)), ..named("Jane Doe") };
            let mut after = Customer { address: Some(with_contact(given)), ..before.clone() };
            after.forget_repeated_contacts(&before);
            after.address.unwrap().contact_name
        };
        assert_eq!(after(None, Some("Jane Doe")), None);
        assert_eq!(after(None, Some("Ann")).as_deref(), Some("Ann"));
        assert_eq!(after(Some("Ann"), Some("Jane Doe")).as_deref(), Some("Jane Doe"));
        assert_eq!(after(None, None), None);

        let mut first = Customer { address: Some(with_contact(Some("Jane Doe"))), ..named("Jane Doe") };
        first.forget_repeated_contacts(&named("Jane Doe"));
        assert_eq!(first.address.unwrap().contact_name.as_deref(), Some("Jane Doe"));
    }

    #[test]
    fn whom_to_ask_for_is_always_known_as_well_as_can_be() {
        let mut customer = named("");
        assert_eq!((customer.billing_contact(), customer.shipping_contact()), ("", ""));
        customer.email = Some("jane@example.com".into());
        assert_eq!(customer.billing_contact(), "jane@example.com");
        customer.name = Some("Jane Doe".into());
        let with_contact = |name: &str| Address { contact_name: Some(name.into()), ..Address::default() };
        customer.address = Some(Address::default());
        customer.shipping = Some(Shipping { address: Address::default(), name: "Reception".into(), phone: None });
        assert_eq!((customer.billing_contact(), customer.shipping_contact()), ("Jane Doe", "Reception"));
        customer.address = Some(with_contact("Ann"));
        customer.shipping = Some(Shipping { address: with_contact("Bob"), name: "Reception".into(), phone: None });
        assert_eq!((customer.billing_contact(), customer.shipping_contact()), ("Ann", "Bob"));
    }
}
