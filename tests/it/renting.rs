//! Orders and what they rest on, for tests in FlexPortal's words.

use serde_json::{Value, json as value};

use crate::client::Client;
use crate::http::Reply;

/// Asks for something of the business unit of that sandbox.
pub fn ask(client: &Client, unit: &str, method: &str, path: &str, body: &Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.unit(unit, method, &format!("/flexportal{path}"), &body)
}

/// Offers something to be ordered.
pub fn offer(client: &Client, unit: &str) {
    let variant = value!({
        "variantSku": "NB-A", "variantName": "Grade A", "grade": "A", "acquisitionCost": 1800,
        "pricing": [{"contractLength": 12, "monthlyPrice": 129}],
    });
    let product = value!({
        "productSku": "NB", "name": "Notebook", "specification": "16 inch", "category": "Laptops", "brand": "Acme",
        "variants": [variant],
    });
    let made = ask(client, unit, "POST", "/v1/products", &product);
    assert_eq!(made.status, 201, "{}", made.text());
}

/// An order of so many units by somebody with that e-mail address.
pub fn order(email: &str, quantity: usize) -> Value {
    let address =
        value!({"contactName": "Jenny Rosen", "streetAddress": "Main Street 1", "city": "Utrecht", "country": "NL"});
    value!({
        "customer": {"email": email, "firstName": "Jenny", "lastName": "Rosen"},
        "billingAddress": address,
        "items": [{"sku": "NB-A", "quantity": quantity}],
    })
}

/// Places an order; gives the ids of the order and of its customer.
pub fn place(client: &Client, unit: &str, email: &str, quantity: usize) -> (String, String) {
    let placed = ask(client, unit, "POST", "/v1/orders", &order(email, quantity));
    assert!([200, 201].contains(&placed.status), "{}", placed.text());
    let placed: Value = serde_json::from_slice(&placed.body).expect("replies are JSON");
    let text = |value: &Value| value.as_str().expect("an id is a text").to_owned();
    (text(&placed["orderId"]), text(&placed["order"]["customer"]["customerId"]))
}
