//! A simple model of one customer that three languages change: what each change makes of it, and what each language shows
//! of it. It says in other words what `domain` says, and knows only the facts that the random history changes.

use serde_json::{Map, Value, json};

/// What the model knows of a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// What Stripe shows of it.
    pub shown: Map<String, Value>,
    status: String,
    kind: Option<String>,
    names: Option<(String, String)>,
    /// Free data that Stripe cannot show.
    rest: Map<String, Value>,
    /// There is free data, with nothing in it.
    emptied: bool,
    /// What it pays with, where somebody said so.
    reference: Option<Value>,
    contact: Option<String>,
    neighbourhood: Option<String>,
}

/// The parts of an address in the words of FlexPortal and of the others.
const PARTS: [(&str, &str); 6] = [
    ("streetAddress", "line1"),
    ("buildingInfo", "line2"),
    ("city", "city"),
    ("adminArea", "state"),
    ("postalCode", "postal_code"),
    ("country", "country"),
];

/// The countries that the history knows, by name and code.
const COUNTRIES: [(&str, &str); 2] = [("Norway", "NO"), ("France", "FR")];

impl Facts {
    /// A customer of whom nothing is known.
    pub fn blank() -> Facts {
        let shown = json!({"name": null, "email": null, "description": null, "phone": null, "business_name": null,
            "metadata": {}, "balance": 0, "currency": null, "address": null, "discount": null, "tax_exempt": "none",
            "delinquent": false});
        Facts {
            shown: shown.as_object().expect("it is one").clone(),
            status: "active".to_owned(),
            kind: None,
            names: None,
            rest: Map::new(),
            emptied: false,
            reference: None,
            contact: None,
            neighbourhood: None,
        }
    }

    /// Whether it has the e-mail address, whatever its case.
    pub fn has_email(&self, email: &str) -> bool {
        self.shown["email"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(email))
    }

    /// Settles what follows from what Stripe or Jani made of the facts that were shown before.
    pub fn settle(&mut self, before: &Map<String, Value>) {
        if self.shown["name"] != before["name"] {
            self.names = None;
        }
        let metadata = members(&self.shown["metadata"]);
        self.rest.retain(|name, _| !metadata.contains_key(name));
        let had_any = !members(&before["metadata"]).is_empty();
        self.emptied = metadata.is_empty() && self.rest.is_empty() && (had_any || self.emptied);
        let place = |address: &Value| ["line1", "city", "postal_code", "country"].map(|part| address[part].clone());
        if self.shown["address"].is_null() {
            (self.contact, self.neighbourhood) = (None, None);
        } else if place(&self.shown["address"]) != place(&before["address"]) {
            self.neighbourhood = None;
        }
    }

    /// What a body of Jani's makes of it.
    pub fn by_jani(&mut self, body: &Value) {
        let before = self.shown.clone();
        for (name, value) in members(body) {
            match name.as_str() {
                "status" => self.status = text(&value),
                "payment_method" if value.is_null() && self.reference.is_none() => {}
                "payment_method" => self.reference = Some(value),
                "custom_data" => {
                    self.emptied = value == json!({});
                    let all = value.as_object().cloned().unwrap_or_default();
                    let (texts, rest) = all.into_iter().partition(|(_, value)| value.is_string());
                    (self.shown["metadata"], self.rest) = (Value::Object(texts), rest);
                }
                "address" if value.is_object() => {
                    let part = |name: &str| (name.to_owned(), value[name].clone());
                    self.shown["address"] = PARTS.map(|(_, name)| part(name)).into_iter().collect::<Map<_, _>>().into();
                }
                _ => self.shown[name.as_str()] = value,
            }
        }
        let emptied = self.emptied;
        self.settle(&before);
        if body.get("custom_data").is_some() {
            self.emptied = emptied;
        }
    }

    /// What a body of FlexPortal's makes of it.
    pub fn by_flexportal(&mut self, body: &Value) {
        let names = self.two_names();
        let mut wanted = names.clone();
        let had_no_contact = self.shown["address"].is_object() && self.contact.is_none();
        for (name, value) in members(body) {
            let filled = Some(value.clone()).filter(|value| *value != "").unwrap_or_default();
            match name.as_str() {
                "firstName" => wanted.0 = text(&value),
                "lastName" => wanted.1 = text(&value),
                "company" => self.shown["business_name"] = filled,
                // What is shown of one of whom nobody said is no news.
                "customerType" if self.kind.is_none() && text(&value) == "individual" => {}
                "customerType" => self.kind = Some(text(&value)),
                "status" if value == "active" => self.status = "active".to_owned(),
                "status" if self.status == "active" => self.status = "inactive".to_owned(),
                "status" => {}
                "billingAddress" => {
                    let country = COUNTRIES.iter().find(|(name, _)| value["country"] == *name).expect("it is known").1;
                    let mut address: Map<String, Value> =
                        PARTS.map(|(theirs, name)| (name.to_owned(), value[theirs].clone())).into_iter().collect();
                    address["country"] = json!(country);
                    self.shown["address"] = address.into();
                    self.contact = value["contactName"].as_str().map(str::to_owned);
                    self.neighbourhood = value["locality"].as_str().map(str::to_owned);
                }
                _ => self.shown[name.as_str()] = filled,
            }
        }
        if wanted != names {
            self.shown["name"] = json!(format!("{} {}", wanted.0, wanted.1).trim());
            self.names = Some(wanted);
        }
        if had_no_contact && self.contact.as_deref() == Some(self.addressee()) {
            self.contact = None;
        }
    }

    /// What Jani shows of it.
    pub fn in_jani(&self) -> Value {
        let address = match &self.shown["address"] {
            Value::Object(parts) => {
                parts.clone().into_iter().filter(|(_, part)| !part.is_null()).collect::<Map<_, _>>().into()
            }
            none => none.clone(),
        };
        json!({"name": self.shown["name"], "email": self.shown["email"], "phone": self.shown["phone"], "address": address,
            "payment_method": self.reference, "status": self.status, "custom_data": self.free_data()})
    }

    /// What FlexPortal shows of it; null is what it leaves out.
    pub fn in_flexportal(&self) -> Value {
        let (given, family) = self.two_names();
        let shown = |name: &str| self.shown[name].clone();
        let address = match &self.shown["address"] {
            Value::Object(parts) => {
                let mut shown: Map<String, Value> =
                    PARTS.map(|(name, theirs)| (name.to_owned(), parts[theirs].clone())).into_iter().collect();
                let country = COUNTRIES.iter().find(|(_, code)| parts["country"] == *code);
                shown["country"] = json!(country.map_or("", |(name, _)| name));
                for needed in ["streetAddress", "city"] {
                    shown[needed] = json!(shown[needed].as_str().unwrap_or_default());
                }
                let contact = self.contact.as_deref().unwrap_or_else(|| self.addressee());
                shown.insert("contactName".into(), json!(contact));
                shown.insert("locality".into(), json!(self.neighbourhood));
                shown.into()
            }
            none => none.clone(),
        };
        json!({"firstName": given, "lastName": family, "email": shown("email").as_str().unwrap_or_default(),
            "phone": shown("phone"), "company": shown("business_name"), "lastBillingAddress": address,
            "status": if self.status == "active" { "active" } else { "inactive" }, "customFields": self.free_data()})
    }

    fn addressee(&self) -> &str {
        [&self.shown["name"], &self.shown["email"]].into_iter().find_map(Value::as_str).unwrap_or_default()
    }

    fn free_data(&self) -> Value {
        let mut all = members(&self.shown["metadata"]);
        all.extend(self.rest.clone());
        if all.is_empty() && !self.emptied { Value::Null } else { all.into() }
    }

    fn two_names(&self) -> (String, String) {
        let name = self.shown["name"].as_str().unwrap_or_default();
        let split = || name.rsplit_once(' ').map_or((name, ""), |(given, family)| (given, family));
        self.names.clone().unwrap_or_else(|| (split().0.to_owned(), split().1.to_owned()))
    }
}

fn members(object: &Value) -> Map<String, Value> {
    object.as_object().expect("an object").clone()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
