//! What a change of a customer through one language changes in what each language shows: the table of `cross`.

use serde_json::{Value, json};

use crate::cross::ABSENT;
use crate::cross::Language::{self, FlexPortal, Jani, Stripe};

/// A change through one language, and all that it changes in what Stripe, FlexPortal and Jani show.
pub struct Row {
    pub says: &'static str,
    pub by: Language,
    pub body: &'static str,
    pub changes: [Value; 3],
}

fn row(says: &'static str, by: Language, body: &'static str, changes: [Value; 3]) -> Row {
    Row { says, by, body, changes }
}

pub fn nothing() -> Value {
    json!({})
}

pub fn rows() -> Vec<Row> {
    let mut rows = by_stripe();
    rows.extend(by_flexportal());
    rows.extend(by_jani());
    rows
}

fn by_stripe() -> Vec<Row> {
    vec![
        row(
            "another full name forgets given and family name",
            Stripe,
            "name=Jane Roe",
            [json!({"/name": "Jane Roe"}), json!({"/lastName": "Roe"}), json!({"/name": "Jane Roe"})],
        ),
        row("the same full name forgets nothing", Stripe, "name=Jane van Doe", [nothing(), nothing(), nothing()]),
        row(
            "no name is shown as empty names",
            Stripe,
            "name=",
            [json!({"/name": null}), json!({"/firstName": "", "/lastName": ""}), json!({"/name": null})],
        ),
        row(
            "a business name is the company",
            Stripe,
            "business_name=Roe",
            [json!({"/business_name": "Roe"}), json!({"/company": "Roe"}), nothing()],
        ),
        row(
            "an individual name is Stripe's",
            Stripe,
            "individual_name=Roe",
            [json!({"/individual_name": "Roe"}), nothing(), nothing()],
        ),
        row(
            "everybody has an email",
            Stripe,
            "email=roe@example.com",
            [
                json!({"/email": "roe@example.com"}),
                json!({"/email": "roe@example.com"}),
                json!({"/email": "roe@example.com"}),
            ],
        ),
        row(
            "everybody has a phone",
            Stripe,
            "phone=123",
            [json!({"/phone": "123"}), json!({"/phone": "123"}), json!({"/phone": "123"})],
        ),
        row(
            "metadata is free data",
            Stripe,
            "metadata[plan]=silver&metadata[tier]=1",
            [
                json!({"/metadata/plan": "silver", "/metadata/tier": "1"}),
                json!({"/customFields/plan": "silver", "/customFields/tier": "1"}),
                json!({"/custom_data/plan": "silver", "/custom_data/tier": "1"}),
            ],
        ),
        row(
            "clearing metadata leaves what it cannot express",
            Stripe,
            "metadata=",
            [
                json!({"/metadata/plan": ABSENT}),
                json!({"/customFields/plan": ABSENT}),
                json!({"/custom_data/plan": ABSENT}),
            ],
        ),
        row(
            "a text takes the place of a number of its name",
            Stripe,
            "metadata[seats]=4",
            [json!({"/metadata/seats": "4"}), json!({"/customFields/seats": "4"}), json!({"/custom_data/seats": "4"})],
        ),
        row(
            "another second line leaves the neighbourhood and the words for the country",
            Stripe,
            "address[line1]=Herengracht 1&address[line2]=3&address[city]=Amsterdam&address[state]=NH\
             &address[postal_code]=1015 BA&address[country]=NL",
            [
                json!({"/address/line2": "3"}),
                json!({"/lastBillingAddress/buildingInfo": "3"}),
                json!({"/address/line2": "3"}),
            ],
        ),
        row(
            "another street is in no known neighbourhood",
            Stripe,
            "address[line1]=Singel 2&address[line2]=2nd floor&address[city]=Amsterdam&address[state]=NH\
             &address[postal_code]=1015 BA&address[country]=NL",
            [
                json!({"/address/line1": "Singel 2"}),
                json!({"/lastBillingAddress/streetAddress": "Singel 2", "/lastBillingAddress/locality": ABSENT}),
                json!({"/address/line1": "Singel 2"}),
            ],
        ),
        row(
            "another country has its own name",
            Stripe,
            "address[line1]=Herengracht 1&address[line2]=2nd floor&address[city]=Amsterdam&address[state]=NH\
             &address[postal_code]=1015 BA&address[country]=BE",
            [
                json!({"/address/country": "BE"}),
                json!({"/lastBillingAddress/country": "Belgium", "/lastBillingAddress/locality": ABSENT}),
                json!({"/address/country": "BE"}),
            ],
        ),
        row(
            "no address is none for all",
            Stripe,
            "address=",
            [json!({"/address": null}), json!({"/lastBillingAddress": ABSENT}), json!({"/address": null})],
        ),
        row(
            "the recipient is not the contact at the address",
            Stripe,
            "shipping[name]=Desk&shipping[address][line1]=Dock 5&shipping[address][city]=Rotterdam\
             &shipping[address][postal_code]=3011 AA&shipping[address][country]=NL",
            [json!({"/shipping/name": "Desk", "/shipping/phone": null}), nothing(), nothing()],
        ),
        row(
            "no shipping is none",
            Stripe,
            "shipping=",
            [json!({"/shipping": null}), json!({"/lastShippingAddress": ABSENT}), nothing()],
        ),
        row(
            "what only Stripe knows is changed for it alone",
            Stripe,
            "balance=0&description=&tax_exempt=none&preferred_locales[0]=en&invoice_settings[footer]=",
            [
                json!({"/balance": 0, "/description": null, "/tax_exempt": "none", "/preferred_locales": ["en"],
                    "/invoice_settings/footer": null}),
                nothing(),
                nothing(),
            ],
        ),
        row(
            "what invoices are charged to is what a customer pays with until somebody says another",
            Stripe,
            "invoice_settings[default_payment_method]=",
            [json!({"/invoice_settings/default_payment_method": null}), nothing(), json!({"/payment_method": null})],
        ),
    ]
}

fn by_flexportal() -> Vec<Row> {
    vec![
        row(
            "a given name makes a full name",
            FlexPortal,
            r#"{"firstName":"Janet"}"#,
            [json!({"/name": "Janet van Doe"}), json!({"/firstName": "Janet"}), json!({"/name": "Janet van Doe"})],
        ),
        row(
            "the company is the business name",
            FlexPortal,
            r#"{"company":"Roe"}"#,
            [json!({"/business_name": "Roe"}), json!({"/company": "Roe"}), nothing()],
        ),
        row(
            "no company is no business name",
            FlexPortal,
            r#"{"company":"","phone":""}"#,
            [
                json!({"/business_name": ABSENT, "/phone": null}),
                json!({"/company": ABSENT, "/phone": ABSENT}),
                json!({"/phone": null}),
            ],
        ),
        row(
            "an email is everybody's",
            FlexPortal,
            r#"{"email":"JANE@example.com"}"#,
            [
                json!({"/email": "JANE@example.com"}),
                json!({"/email": "JANE@example.com"}),
                json!({"/email": "JANE@example.com"}),
            ],
        ),
        row(
            "a kind is FlexPortal's",
            FlexPortal,
            r#"{"customerType":"individual"}"#,
            [nothing(), json!({"/customerType": "individual"}), nothing()],
        ),
        row(
            "who is suspended is inactive already",
            FlexPortal,
            r#"{"status":"inactive"}"#,
            [nothing(), nothing(), nothing()],
        ),
        row(
            "who is made active is suspended no more",
            FlexPortal,
            r#"{"status":"active"}"#,
            [nothing(), json!({"/status": "active"}), json!({"/status": "active"})],
        ),
        row(
            "an address is replaced whole",
            FlexPortal,
            r#"{"billingAddress":{"contactName":"Cy","streetAddress":"Rue 1","city":"Lyon","country":"France"}}"#,
            [
                json!({"/address/line1": "Rue 1", "/address/line2": null, "/address/city": "Lyon",
                    "/address/state": null, "/address/postal_code": null, "/address/country": "FR"}),
                json!({"/lastBillingAddress/contactName": "Cy", "/lastBillingAddress/company": ABSENT,
                    "/lastBillingAddress/buildingInfo": ABSENT, "/lastBillingAddress/streetAddress": "Rue 1",
                    "/lastBillingAddress/locality": ABSENT, "/lastBillingAddress/city": "Lyon",
                    "/lastBillingAddress/adminArea": ABSENT, "/lastBillingAddress/postalCode": null,
                    "/lastBillingAddress/country": "France"}),
                json!({"/address/line1": "Rue 1", "/address/line2": ABSENT, "/address/city": "Lyon",
                    "/address/state": ABSENT, "/address/postal_code": ABSENT, "/address/country": "FR"}),
            ],
        ),
        row(
            "what only FlexPortal knows of an address is no change of Stripe's",
            FlexPortal,
            r#"{"billingAddress":{"contactName":"Cy","company":"Acme BV","buildingInfo":"2nd floor",
                "streetAddress":"Herengracht 1","locality":"Jordaan","city":"Amsterdam","adminArea":"NH",
                "postalCode":"1015 BA","country":"The Netherlands"}}"#,
            [
                nothing(),
                json!({"/lastBillingAddress/contactName": "Cy", "/lastBillingAddress/locality": "Jordaan",
                    "/lastBillingAddress/country": "The Netherlands"}),
                nothing(),
            ],
        ),
        row(
            "a text that names no country is shown as it was written",
            FlexPortal,
            r#"{"billingAddress":{"contactName":"Ann Lee","company":"Acme BV","buildingInfo":"2nd floor",
                "streetAddress":"Herengracht 1","locality":"Centrum","city":"Amsterdam","adminArea":"NH",
                "postalCode":"1015 BA","country":"Atlantis"}}"#,
            [
                json!({"/address/country": "Atlantis"}),
                json!({"/lastBillingAddress/country": "Atlantis"}),
                json!({"/address/country": "Atlantis"}),
            ],
        ),
        row(
            "where goods go does not change who gets them",
            FlexPortal,
            r#"{"shippingAddress":{"contactName":"Cy","streetAddress":"Dock 5","locality":"Haven",
                "city":"Rotterdam","postalCode":"3011 AB","country":"Netherlands"}}"#,
            [
                json!({"/shipping/address/postal_code": "3011 AB"}),
                json!({"/lastShippingAddress/contactName": "Cy", "/lastShippingAddress/postalCode": "3011 AB"}),
                nothing(),
            ],
        ),
    ]
}

fn by_jani() -> Vec<Row> {
    vec![
        row(
            "a name is the full name",
            Jani,
            r#"{"name":"Jane A. Roe"}"#,
            [
                json!({"/name": "Jane A. Roe"}),
                json!({"/firstName": "Jane A.", "/lastName": "Roe"}),
                json!({"/name": "Jane A. Roe"}),
            ],
        ),
        row(
            "no phone is none for all",
            Jani,
            r#"{"phone":null}"#,
            [json!({"/phone": null}), json!({"/phone": ABSENT}), json!({"/phone": null})],
        ),
        row(
            "a status is not Stripe's",
            Jani,
            r#"{"status":"active"}"#,
            [nothing(), json!({"/status": "active"}), json!({"/status": "active"})],
        ),
        row(
            "two ways of not being active are one for FlexPortal",
            Jani,
            r#"{"status":"inactive"}"#,
            [nothing(), nothing(), json!({"/status": "inactive"})],
        ),
        row(
            "an address is replaced but for what Jani never shows",
            Jani,
            r#"{"address":{"city":"Dodoma","country":"tz"}}"#,
            [
                json!({"/address/line1": null, "/address/line2": null, "/address/city": "Dodoma",
                    "/address/state": null, "/address/postal_code": null, "/address/country": "TZ"}),
                json!({"/lastBillingAddress/buildingInfo": ABSENT, "/lastBillingAddress/streetAddress": "",
                    "/lastBillingAddress/locality": ABSENT, "/lastBillingAddress/city": "Dodoma",
                    "/lastBillingAddress/adminArea": ABSENT, "/lastBillingAddress/postalCode": null,
                    "/lastBillingAddress/country": "Tanzania"}),
                json!({"/address/line1": ABSENT, "/address/line2": ABSENT, "/address/city": "Dodoma",
                    "/address/state": ABSENT, "/address/postal_code": ABSENT, "/address/country": "TZ"}),
            ],
        ),
        row(
            "the same address is the same",
            Jani,
            r#"{"address":{"line1":"Herengracht 1","line2":"2nd floor","city":"Amsterdam","state":"NH",
                "postal_code":"1015 BA","country":"NL"}}"#,
            [nothing(), nothing(), nothing()],
        ),
        row(
            "no address is none",
            Jani,
            r#"{"address":null}"#,
            [json!({"/address": null}), json!({"/lastBillingAddress": ABSENT}), json!({"/address": null})],
        ),
        row(
            "a payment method is a text of its own",
            Jani,
            r#"{"payment_method":"momo_1"}"#,
            [nothing(), nothing(), json!({"/payment_method": "momo_1"})],
        ),
        row(
            "no payment method leaves invoices without one",
            Jani,
            r#"{"payment_method":null}"#,
            [json!({"/invoice_settings/default_payment_method": null}), nothing(), json!({"/payment_method": null})],
        ),
        row(
            "free data is replaced whole",
            Jani,
            r#"{"custom_data":{"seats":3,"tier":"1"}}"#,
            [
                json!({"/metadata/plan": ABSENT, "/metadata/tier": "1"}),
                json!({"/customFields/plan": ABSENT, "/customFields/rate": ABSENT, "/customFields/tags": ABSENT,
                    "/customFields/tier": "1"}),
                json!({"/custom_data/plan": ABSENT, "/custom_data/rate": ABSENT, "/custom_data/tags": ABSENT,
                    "/custom_data/tier": "1"}),
            ],
        ),
        row(
            "the same free data is the same",
            Jani,
            r#"{"custom_data":{"tags":["a",{"b":null}],"seats":3.0,"rate":15e-1,"plan":"gold"}}"#,
            [nothing(), nothing(), nothing()],
        ),
        row(
            "no free data is none for all",
            Jani,
            r#"{"custom_data":null}"#,
            [json!({"/metadata/plan": ABSENT}), json!({"/customFields": ABSENT}), json!({"/custom_data": null})],
        ),
    ]
}
