//! Entity tags and conditional requests (RFC 9110, section 13). A record's tag is its version number in quotes.

use hyper::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::engine::{NotAt, Precondition};

/// The entity tag of a version.
pub fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` and `If-None-Match` insist on before a record is changed. `If-Match: *` is met by any record there is;
/// a tag that is none of ours is met by none.
pub fn insists(headers: &HeaderMap) -> Precondition {
    let at = match tags(headers, IF_MATCH) {
        None | Some(Tags::Any) => None,
        Some(Tags::Versions { strong, .. }) => Some(strong),
    };
    let not_at = match tags(headers, IF_NONE_MATCH) {
        None => NotAt::Nothing,
        Some(Tags::Any) => NotAt::Anything,
        Some(Tags::Versions { strong, weak }) => NotAt::Versions([strong, weak].concat()),
    };
    Precondition { at, not_at }
}

/// Whether a record at that version is what `If-Match` insists on, for whoever only reads it.
pub fn is_wanted(headers: &HeaderMap, version: u64) -> bool {
    insists(headers).at.is_none_or(|versions| versions.contains(&version))
}

/// Whether a record that does not exist yet can be made: `If-Match` wants one that does.
pub fn lets_make(headers: &HeaderMap) -> bool {
    tags(headers, IF_MATCH).is_none()
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

    use super::{has_already, insists, is_wanted, lets_make};
    use crate::engine::{NotAt, Precondition};

    #[test]
    fn tags_are_compared_as_the_standard_says() {
        let mut headers = HeaderMap::new();
        assert_eq!(insists(&headers), Precondition::default());
        assert!(lets_make(&headers));
        headers.insert(IF_MATCH, HeaderValue::from_static("\"3\", W/\"4\", \"x\""));
        assert_eq!(insists(&headers).at, Some(vec![3]));
        assert!(is_wanted(&headers, 3) && !is_wanted(&headers, 4) && !lets_make(&headers));
        headers.insert(IF_MATCH, HeaderValue::from_static("garbage"));
        assert_eq!(insists(&headers).at, Some(vec![]));
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("W/\"4\""));
        assert!(has_already(&headers, 4) && !has_already(&headers, 3));
        assert_eq!(insists(&headers).not_at, NotAt::Versions(vec![4]));
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert!(has_already(&headers, 9));
        assert_eq!(insists(&headers).not_at, NotAt::Anything);
    }
}
