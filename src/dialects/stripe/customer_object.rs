//! A customer in Stripe's words, as the newest version has it: docs.stripe.com/api/customers/object.

use super::versions::Version;
use crate::domain::account::{Account, Mode};
use crate::domain::address::{Address, Shipping};
use crate::domain::customer::{AmountTaxDisplay, CustomField, Customer, InvoiceSettings, Rendering, TaxExempt};
use crate::domain::metadata::Metadata;
use crate::domain::money::Currency;
use crate::domain::tax::{AutomaticTax, LocationSource, TaxLocation};
use crate::http::json::{Json, Object};

/// The customer with its discount, which is in the words of a version already. `id` and `object` come first, the other keys
/// in alphabetical order.
pub fn object(customer: &Customer, account: &Account, discount: Option<Object>) -> Object {
    let Customer {
        id,
        version: _,
        created,
        updated: _,
        deleted: _,
        name,
        given_name: _,
        family_name: _,
        kind: _,
        status: _,
        business_name,
        individual_name,
        email,
        phone,
        description,
        address,
        shipping,
        balance,
        currency,
        invoice_prefix,
        next_invoice_sequence,
        invoice_settings,
        metadata,
        data: _,
        paid_by: _,
        preferred_locales,
        tax_exempt,
        tax_ip: _,
        reconciliation: _,
        cash: _,
        instruments: _,
        default_source,
        discount: _,
        tax_ids: _,
    } = customer;
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "customer")
        .and("address", address.as_ref().map(postal))
        .and("balance", *balance);
    // QUIRK: the two names are there only when they have a value; docs.stripe.com/api/customers/object marks them so.
    if let Some(name) = business_name {
        object.add("business_name", name);
    }
    let mut object = object
        .and("created", created.seconds())
        .and("currency", currency.as_ref().map(code))
        .and("default_source", default_source.as_ref().map(|id| id.as_str().to_owned()))
        // Invoices do not exist here, so this says what it says of a customer that has none.
        .and("delinquent", false)
        .and("description", description.as_ref())
        .and("discount", discount)
        .and("email", email.as_ref());
    if let Some(name) = individual_name {
        object.add("individual_name", name);
    }
    object
        .and("invoice_prefix", invoice_prefix)
        .and("invoice_settings", invoices(invoice_settings))
        .and("livemode", account.mode == Mode::Live)
        .and("metadata", free_data(metadata))
        .and("name", name.as_ref())
        // A sequence of more than 2^63 invoices is refused on its way in.
        .and("next_invoice_sequence", i64::try_from(*next_invoice_sequence).unwrap_or(i64::MAX))
        .and("phone", phone.as_ref())
        .and("preferred_locales", preferred_locales.iter().map(Json::from).collect::<Vec<_>>())
        .and("shipping", shipping.as_ref().map(shipped))
        .and("tax_exempt", exemption(*tax_exempt))
        .and("test_clock", Json::Null)
}

/// What is shown of a deleted customer.
pub fn deleted(customer: &Customer) -> Object {
    Object::new().and("id", customer.id.as_str().to_owned()).and("object", "customer").and("deleted", true)
}

/// The balance by currency, seen from the customer: positive is credit.
pub fn invoice_credit_balance(customer: &Customer) -> Object {
    let mut balances = Object::default();
    if let (Some(currency), true) = (customer.currency, customer.balance != 0) {
        balances.add(currency.as_str().to_owned(), customer.balance.saturating_neg());
    }
    balances
}

/// Where the customer is for tax.
pub fn tax(customer: &Customer, version: &Version) -> Object {
    let status = match customer.automatic_tax() {
        AutomaticTax::Supported => "supported",
        AutomaticTax::UnrecognizedLocation => "unrecognized_location",
    };
    let location = customer.tax_location().map(|TaxLocation { country, region, source }| {
        let source = match source {
            LocationSource::BillingAddress => "billing_address",
            LocationSource::ShippingDestination => "shipping_destination",
        };
        Object::new().and("country", country).and("source", source).and("state", region)
    });
    let tax = Object::new()
        .and("automatic_tax", status)
        .and("ip_address", customer.tax_ip.map(|ip| ip.to_string()))
        .and("location", location);
    // Told since 2025-10-29, that is from clover on.
    if version.has("2025-10-29", "") { tax.and("provider", "stripe") } else { tax }
}

/// Free data.
pub fn free_data(metadata: &Metadata) -> Object {
    let mut object = Object::default();
    for (key, value) in metadata {
        object.add(key.clone(), value);
    }
    object
}

/// A currency's code.
pub fn code(currency: &Currency) -> String {
    currency.as_str().to_owned()
}

/// A postal address.
pub fn postal(address: &Address) -> Object {
    let Address {
        street,
        second_line,
        city,
        region,
        postal_code,
        country,
        country_name: _,
        neighbourhood: _,
        contact_name: _,
        company: _,
    } = address;
    Object::new()
        .and("city", city.as_ref())
        .and("country", country.as_ref())
        .and("line1", street.as_ref())
        .and("line2", second_line.as_ref())
        .and("postal_code", postal_code.as_ref())
        .and("state", region.as_ref())
}

fn shipped(shipping: &Shipping) -> Object {
    let Shipping { address, name, phone } = shipping;
    Object::new().and("address", postal(address)).and("name", name).and("phone", phone.as_ref())
}

fn invoices(settings: &InvoiceSettings) -> Object {
    let InvoiceSettings { custom_fields, footer, rendering, default_payment_method } = settings;
    let fields = custom_fields.as_ref().map(|fields| {
        let line = |CustomField { name, value }: &CustomField| Object::new().and("name", name).and("value", value);
        fields.iter().map(line).map(Json::from).collect::<Vec<_>>()
    });
    let rendering = rendering.as_ref().map(|Rendering { amount_tax_display }| {
        let display = amount_tax_display.map(|display| match display {
            AmountTaxDisplay::ExcludeTax => "exclude_tax",
            AmountTaxDisplay::IncludeInclusiveTax => "include_inclusive_tax",
        });
        Object::new().and("amount_tax_display", display).and("template", Json::Null)
    });
    Object::new()
        .and("custom_fields", fields)
        .and("default_payment_method", default_payment_method.as_ref().map(|id| id.as_str().to_owned()))
        .and("footer", footer.as_ref())
        .and("rendering_options", rendering)
}

fn exemption(exempt: TaxExempt) -> &'static str {
    match exempt {
        TaxExempt::None => "none",
        TaxExempt::Exempt => "exempt",
        TaxExempt::Reverse => "reverse",
    }
}
