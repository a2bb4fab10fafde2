//! A caller with a key: forms out, JSON in.

use std::net::SocketAddr;

use serde_json::Value;

use crate::http::{self, Reply};

/// A caller with a key.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    key: String,
}

impl Client {
    /// A caller of the server at that address.
    pub fn new(address: SocketAddr, key: &str) -> Client {
        Client { address, key: key.to_owned() }
    }

    /// The reply to a request with more headers.
    pub fn exchange(&self, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Reply {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {}", self.key))];
        if method == "POST" {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        headers.extend(more.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        http::send(self.address, method, path, &headers, body.as_bytes()).expect("the server answers")
    }

    /// The reply to a POST.
    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.exchange("POST", path, body, &[])
    }

    /// The reply to a POST of JSON.
    pub fn post_json(&self, path: &str, body: &str) -> Reply {
        let headers = [("Authorization", format!("Bearer {}", self.key)), ("Content-Type", "application/json".into())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        http::send(self.address, "POST", path, &headers, body.as_bytes()).expect("the server answers")
    }

    /// The reply to a request of JSON with more headers.
    pub fn exchange_json(&self, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Reply {
        let own = [("Authorization", format!("Bearer {}", self.key)), ("Content-Type", "application/json".into())];
        let mut headers: Vec<(String, String)> = own.map(|(name, value)| (name.to_owned(), value)).into();
        headers.extend(more.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        http::send(self.address, method, path, &headers, body.as_bytes()).expect("the server answers")
    }

    /// The reply to a request of a business unit, in JSON.
    pub fn unit(&self, unit: &str, method: &str, path: &str, body: &str) -> Reply {
        self.exchange_json(method, path, body, &[("Tenant-ID", unit)])
    }

    /// The reply to a GET.
    pub fn get(&self, path: &str) -> Reply {
        self.exchange("GET", path, "", &[])
    }

    /// The id of a customer made from a form.
    pub fn customer(&self, body: &str) -> String {
        let made = json(&self.post("/v1/customers", body));
        made["id"].as_str().expect("a customer has an id").to_owned()
    }
}

/// The body of a reply of status 200.
#[track_caller]
pub fn json(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("replies are JSON")
}

/// The body of a reply, whatever its status.
#[track_caller]
pub fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body)
        .unwrap_or_else(|_| panic!("replies are JSON: {} {}", reply.status, reply.text()))
}

/// The `error` of a reply of that status.
#[track_caller]
pub fn error(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    let body: Value = serde_json::from_slice(&reply.body).expect("refusals are JSON");
    body["error"].clone()
}
