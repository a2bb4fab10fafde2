//! What a customer pays with, as those say it who keep no payment methods: one text. It stands beside what is charged by
//! default, and never says anything else of what the customer holds.

use super::customer::Customer;
use super::ids::InstrumentId;
use super::patch::Patch;

/// What a customer pays with, as a text that need not be the id of anything here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PaymentReference {
    /// Nobody said: it is what invoices are charged to, else the default source.
    #[default]
    Unsaid,
    /// Nothing, which was said.
    Nothing,
    /// This.
    Text(String),
}

impl Customer {
    /// What it pays with: as was said, else what invoices are charged to, else the default source.
    pub fn payment_reference(&self) -> Option<&str> {
        match &self.paid_by {
            PaymentReference::Unsaid => self.charged().map(InstrumentId::as_str),
            PaymentReference::Nothing => None,
            PaymentReference::Text(text) => Some(text),
        }
    }

    /// What is charged when nothing else is said.
    fn charged(&self) -> Option<&InstrumentId> {
        self.invoice_settings.default_payment_method.as_ref().or(self.default_source.as_ref())
    }

    pub(super) fn refer_to_payment(&mut self, wish: Patch<String>) {
        match wish {
            Patch::Keep => {}
            // Who sends back what he was shown says nothing new.
            Patch::Clear if self.payment_reference().is_none() => {}
            Patch::Set(text) if self.payment_reference() == Some(text.as_str()) => {}
            Patch::Clear => {
                self.paid_by = PaymentReference::Nothing;
                self.invoice_settings.default_payment_method = None;
            }
            Patch::Set(text) => {
                let held = self.instrument(&text).filter(|instrument| instrument.is_payment_method());
                match held.map(|instrument| instrument.id().clone()) {
                    // The default says it, and goes on saying what is true when it becomes another one.
                    Some(id) => {
                        self.invoice_settings.default_payment_method = Some(id);
                        self.paid_by = PaymentReference::Unsaid;
                    }
                    None => self.paid_by = PaymentReference::Text(text),
                }
            }
        }
    }

    /// Forgets what was said of payments as soon as a later change makes it untrue: that there is nothing, when something
    /// else is charged than before; the id of something held, when that is no longer held or something else is charged. A
    /// text of somebody else's stays: nothing here knows whether it is true.
    pub fn follow_charges(&mut self, before: &Customer) {
        if self.paid_by != before.paid_by {
            return;
        }
        let charged_anew = self.charged().is_some() && self.charged() != before.charged();
        let untrue = match &self.paid_by {
            PaymentReference::Unsaid => false,
            PaymentReference::Nothing => charged_anew,
            PaymentReference::Text(text) => {
                let is_held = self.instrument(text).is_some();
                let was_held = before.instrument(text).is_some();
                (is_held && charged_anew) || (was_held && !is_held)
            }
        };
        if untrue {
            self.paid_by = PaymentReference::Unsaid;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customer::CustomerChange;
    use crate::domain::ids::CustomerId;
    use crate::domain::money::Currency;
    use crate::domain::time::Time;

    fn blank() -> Customer {
        Customer::blank(CustomerId("cus_1".into()), "A1B2C3D4".into(), Time(5))
    }

    fn refer(customer: &Customer, wish: Patch<String>) -> Customer {
        let change = CustomerChange { paid_by: wish, ..CustomerChange::default() };
        customer.with(change, Currency::parse("usd").unwrap()).unwrap()
    }

    fn said(text: &str) -> Patch<String> {
        Patch::Set(text.into())
    }

    #[test]
    fn a_payment_reference_is_the_default_until_somebody_says_another() {
        let mut customer = blank();
        assert_eq!(customer.payment_reference(), None);
        customer.default_source = Some(InstrumentId("card_1".into()));
        assert_eq!(customer.payment_reference(), Some("card_1"));
        // What is shown already says nothing new, also of what invoices are not charged to by name.
        assert_eq!(refer(&customer, said("card_1")), customer);
        customer.invoice_settings.default_payment_method = Some(InstrumentId("pm_1".into()));
        assert_eq!(customer.payment_reference(), Some("pm_1"));
        assert_eq!(refer(&customer, said("pm_1")), customer);

        let other = refer(&customer, said("momo_1"));
        assert_eq!(other.payment_reference(), Some("momo_1"));
        assert_eq!(other.invoice_settings, customer.invoice_settings);
        assert_eq!(refer(&blank(), Patch::Clear), blank());
        let nothing = refer(&other, Patch::Clear);
        assert_eq!(nothing.payment_reference(), None);
        assert_eq!(nothing.invoice_settings.default_payment_method, None);
        assert_eq!(refer(&nothing, Patch::Clear), nothing);
    }

    #[test]
    fn nothing_is_said_until_something_else_is_charged() {
        let charged = |id: &str| {
            let mut customer = blank();
            customer.invoice_settings.default_payment_method = Some(InstrumentId(id.into()));
            customer
        };
        let nothing = refer(&charged("pm_1"), Patch::Clear);
        let mut later = Customer { phone: Some("+31612345678".into()), ..nothing.clone() };
        later.follow_charges(&nothing);
        assert_eq!(later.payment_reference(), None);
        let mut later = Customer { paid_by: nothing.paid_by.clone(), ..charged("pm_2") };
        later.follow_charges(&nothing);
        assert_eq!(later.payment_reference(), Some("pm_2"));

        // Who says it and changes what is charged in one go has said so.
        let mut same = nothing.clone();
        same.follow_charges(&charged("pm_1"));
        assert_eq!(same.payment_reference(), None);
        let momo = refer(&charged("pm_1"), said("momo_1"));
        let mut later = Customer { paid_by: momo.paid_by.clone(), ..charged("pm_2") };
        later.follow_charges(&momo);
        assert_eq!(later.payment_reference(), Some("momo_1"), "nobody here knows better");
    }
}
