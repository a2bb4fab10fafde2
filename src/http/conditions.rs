//! Entity tags and conditional requests (RFC 9110, section 13). A record's tag is its version number in quotes.

use hyper::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::engine::Precondition;

/// The entity tag of a version.
pub fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` insists on. `*` is met by any record there is; a tag that is none of ours is met by none.
pub fn insists(headers: &HeaderMap) -> Precondition {
    match tags(headers, IF_MATCH) {
        None => Precondition::None,
        Some(Tags::Any) => Precondition::None,
        Some(Tags::Versions { strong, .. }) => Precondition::AtVersion(strong),
    }
}

/// Whether `If-None-Match` says that the caller has this version already.
pub fn has_already(headers: &HeaderMap, version: u64) -> bool {
    match tags(headers, IF_NONE_MATCH) {
        None => false,
        Some(Tags::Any) => true,
        // RFC 9110, 13.1.2: If-None-Match compares weakly.
        Some(Tags::Versions { strong, weak }) => strong.contains(&version) || weak.contains(&version),
    }
}

enum Tags {
    Any,
    Versions { strong: Vec<u64>, weak: Vec<u64> },
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Option<Tags> {
    let mut found = None;
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    for value in headers.get_all(name) {
        found = Some(());
        for tag in value.to_str().unwrap_or_default().split(',') {
            let tag = tag.trim();
            if tag == "*" {
                return Some(Tags::Any);
            }
            let (list, tag) = match tag.strip_prefix("W/") {
                Some(tag) => (&mut weak, tag),
                None => (&mut strong, tag),
            };
            list.extend(
                tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse::<u64>().ok()),
            );
        }
    }
    found.map(|()| Tags::Versions { strong, weak })
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderMap, HeaderValue, IF_MATCH, IF_NONE_MATCH};

    use super::{has_already, insists};
    use crate::engine::Precondition;

    #[test]
    fn tags_are_compared_as_the_standard_says() {
        let mut headers = HeaderMap::new();
        assert_eq!(insists(&headers), Precondition::None);
        headers.insert(IF_MATCH, HeaderValue::from_static("\"3\", W/\"4\", \"x\""));
        assert_eq!(insists(&headers), Precondition::AtVersion(vec![3]));
        headers.insert(IF_MATCH, HeaderValue::from_static("garbage"));
        assert_eq!(insists(&headers), Precondition::AtVersion(vec![]));
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("W/\"4\""));
        assert!(has_already(&headers, 4) && !has_already(&headers, 3));
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert!(has_already(&headers, 9));
    }
}
