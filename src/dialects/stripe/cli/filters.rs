//! Which requests `stripe logs tail` wants to hear of: the filters that its options make.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::http::traffic::Passed;

/// The longest text of filters, in bytes.
pub const MAX_TEXT: usize = 4_000;

/// The filters. A list that is empty lets everything through; of one that is not, one word has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Whose key asked: the requests of an account are those made for it, whoever made them, so it lets everything through.
    #[serde(rename = "filter_account", skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(rename = "filter_ip_address", skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<IpAddr>,
    #[serde(rename = "filter_http_method", skip_serializing_if = "Vec::is_empty")]
    methods: Vec<HttpMethod>,
    #[serde(rename = "filter_request_path", skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    #[serde(rename = "filter_request_status", skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<Outcome>,
    #[serde(rename = "filter_source", skip_serializing_if = "Vec::is_empty")]
    sources: Vec<Source>,
    #[serde(rename = "filter_status_code", skip_serializing_if = "Vec::is_empty")]
    statuses: Vec<String>,
    #[serde(rename = "filter_status_code_type", skip_serializing_if = "Vec::is_empty")]
    classes: Vec<Class>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum HttpMethod {
    Get,
    Post,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Outcome {
    Succeeded,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Source {
    Api,
    Dashboard,
}

/// The hundreds of a status. The CLI is told `4XX` and sends `400`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Class {
    #[serde(rename = "200", alias = "2XX")]
    Success,
    #[serde(rename = "400", alias = "4XX")]
    ClientError,
    #[serde(rename = "500", alias = "5XX")]
    ServerError,
}

impl Filters {
    /// The filters that a text of JSON spells.
    pub fn parse(text: &str) -> Option<Filters> {
        // The reader would take an array for the fields in their order.
        if text.len() > MAX_TEXT || !text.starts_with('{') {
            return None;
        }
        let filters: Filters = serde_json::from_str(text).ok()?;
        let known = |account: &String| ["connect_in", "connect_out", "self"].contains(&account.as_str());
        let status = |status: &String| status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
        (filters.accounts.iter().all(known) && filters.statuses.iter().all(status)).then_some(filters)
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        *self == Filters::default()
    }

    /// Whether they tell accounts apart, which is not done here: the CLI then warns of it.
    pub fn are_about_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// Whether the exchange is to be told.
    pub fn let_through(&self, passed: &Passed) -> bool {
        let Filters { accounts: _, addresses, methods, paths, outcomes, sources, statuses, classes } = self;
        fits(addresses, |address| passed.peer == Some(*address))
            && fits(methods, |method| method.as_str() == passed.method.as_str())
            && fits(paths, |path| *path == passed.path)
            && fits(outcomes, |outcome| (*outcome == Outcome::Succeeded) == (passed.status < 400))
            // Every request comes through the API.
            && fits(sources, |source| *source == Source::Api)
            && fits(statuses, |status| *status == passed.status.to_string())
            && fits(classes, |class| class.hundreds() == passed.status / 100)
    }
}

impl HttpMethod {
    fn as_str(self) -> &'static str {
        match self {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            HttpMethod::Delete => "DELETE",
        }
    }
}

impl Class {
    fn hundreds(self) -> u16 {
        match self {
            Class::Success => 2,
            Class::ClientError => 4,
            Class::ServerError => 5,
        }
    }
}

fn fits<T>(words: &[T], fit: impl Fn(&T) -> bool) -> bool {
    words.is_empty() || words.iter().any(fit)
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;
    use crate::domain::time::Time;

    fn passed() -> Passed {
        Passed {
            request: "req_1".into(),
            at: Time(1),
            method: Method::POST,
            path: "/v1/customers".into(),
            peer: Some(IpAddr::from([127, 0, 0, 1])),
            status: 402,
            refusal: None,
        }
    }

    #[test]
    fn a_request_passes_when_one_word_of_each_list_fits() {
        for (filters, passes) in [
            ("{}", true),
            (r#"{"filter_http_method":["POST"]}"#, true),
            (r#"{"filter_http_method":["GET","DELETE"]}"#, false),
            (r#"{"filter_ip_address":["10.0.0.1","127.0.0.1"]}"#, true),
            (r#"{"filter_ip_address":["::1"]}"#, false),
            (r#"{"filter_request_path":["/v1/customers"]}"#, true),
            (r#"{"filter_request_path":["/v1/customer"]}"#, false),
            (r#"{"filter_request_status":["FAILED"]}"#, true),
            (r#"{"filter_request_status":["SUCCEEDED"]}"#, false),
            (r#"{"filter_source":["API"]}"#, true),
            (r#"{"filter_source":["DASHBOARD"]}"#, false),
            (r#"{"filter_status_code":["402"]}"#, true),
            (r#"{"filter_status_code":["200"]}"#, false),
            (r#"{"filter_status_code_type":["400"]}"#, true),
            (r#"{"filter_status_code_type":["2XX","500"]}"#, false),
            (r#"{"filter_account":["self"]}"#, true),
            (r#"{"filter_http_method":["POST"],"filter_status_code":["200"]}"#, false),
        ] {
            assert_eq!(
                Filters::parse(filters).map(|filters| filters.let_through(&passed())),
                Some(passes),
                "{filters}"
            );
        }
    }

    #[test]
    fn filters_that_cannot_be_kept_to_are_none() {
        let long = format!(r#"{{"filter_request_path":["{}"]}}"#, "a".repeat(MAX_TEXT));
        for filters in [
            "",
            "[]",
            "x",
            r#"{"filter_moon":["full"]}"#,
            r#"{"filter_http_method":["PUT"]}"#,
            r#"{"filter_http_method":"GET"}"#,
            r#"{"filter_ip_address":["here"]}"#,
            r#"{"filter_status_code":["4x4"]}"#,
            r#"{"filter_status_code_type":["3XX"]}"#,
            r#"{"filter_account":["mine"]}"#,
            &long,
        ] {
            assert_eq!(Filters::parse(filters), None, "{filters}");
        }
    }
}
