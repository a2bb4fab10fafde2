//! `multipart/form-data` over a body that is in memory: finds one part and says where it is. RFC 7578 and RFC 2046, 5.1.
//! Libraries for it feed on streams and copy what they read; here a large file stays where it is.

use std::ops::Range;

use memchr::memmem;

/// The media type.
pub const FORM_DATA: &str = "multipart/form-data";

/// The most bytes of the headers of a part.
const MAX_HEADERS: usize = 8_192;

/// Why there is no such part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The content type has no boundary.
    NoBoundary,
    /// The body is not divided by the boundary as it has to be.
    Malformed,
    /// No part has the name.
    Missing,
    /// Several parts have it.
    Twice,
}

/// Where the one part of that name is within the body.
pub fn part(content_type: &str, body: &[u8], name: &str) -> Result<Range<usize>, Fault> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty());
    let delimiter = format!("\r\n--{}", boundary.ok_or(Fault::NoBoundary)?).into_bytes();
    let finder = memmem::Finder::new(&delimiter);
    // The first delimiter may be at the very beginning, where no line ends.
    let first = &delimiter[2..];
    let mut at = match body.starts_with(first) {
        true => first.len(),
        false => finder.find(body).ok_or(Fault::Malformed)? + delimiter.len(),
    };
    let mut found = None;
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return found.ok_or(Fault::Missing);
        }
        // Blanks may follow a delimiter.
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if !rest[blanks..].starts_with(b"\r\n") {
            return Err(Fault::Malformed);
        }
        // The line's end is also the first half of the empty line behind no headers.
        let headers_at = at + blanks;
        let window = &body[headers_at..body.len().min(headers_at + MAX_HEADERS)];
        let headers_end = memmem::find(window, b"\r\n\r\n").ok_or(Fault::Malformed)?;
        let content_at = headers_at + headers_end + 4;
        // A part without content ends with the line end that its headers end with.
        let from = content_at - 2;
        let end = from + finder.find(&body[from..]).ok_or(Fault::Malformed)?;
        if is_called(&window[..headers_end], name) {
            if found.is_some() {
                return Err(Fault::Twice);
            }
            found = Some(content_at.min(end.max(content_at))..end.max(content_at));
        }
        at = end + delimiter.len();
    }
}

/// Whether the headers of a part give it that name.
fn is_called(headers: &[u8], name: &str) -> bool {
    let headers = String::from_utf8_lossy(headers);
    headers.split("\r\n").filter_map(|line| line.split_once(':')).any(|(header, value)| {
        header.trim().eq_ignore_ascii_case("content-disposition") && parameter(value, "name").as_deref() == Some(name)
    })
}

/// A parameter of a header's value, as `name` of `form-data; name="csvFile"; filename="a;b.csv"`.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut letters = value.chars().peekable();
    // What comes before the parameters.
    letters.by_ref().find(|letter| *letter == ';')?;
    loop {
        let key: String = std::iter::from_fn(|| letters.next_if(|letter| !matches!(letter, '=' | ';'))).collect();
        let mut value = String::new();
        if letters.next_if_eq(&'=').is_some() {
            if letters.next_if_eq(&'"').is_some() {
                loop {
                    match letters.next()? {
                        '"' => break,
                        '\\' => value.push(letters.next()?),
                        letter => value.push(letter),
                    }
                }
            }
            value.extend(std::iter::from_fn(|| letters.next_if(|letter| *letter != ';')));
        }
        if key.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        letters.next()?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fault, parameter, part};

    const TYPE: &str = "multipart/form-data; boundary=xyz";

    fn found(body: &str) -> Result<&str, Fault> {
        part(TYPE, body.as_bytes(), "csvFile").map(|range| &body[range])
    }

    #[test]
    fn a_part_is_found_among_others() {
        let file = "Content-Disposition: form-data; name=\"csvFile\"; filename=\"a.csv\"\r\nContent-Type: text/csv";
        for (body, wanted) in [
            (format!("--xyz\r\n{file}\r\n\r\na,b\r\n1,2\r\n\r\n--xyz--\r\n"), Ok("a,b\r\n1,2\r\n")),
            (format!("before\r\n--xyz\r\n{file}\r\n\r\na\r\n--xyz--"), Ok("a")),
            (format!("--xyz\r\n{file}\r\n\r\n\r\n--xyz--"), Ok("")),
            (format!("--xyz \t\r\n{file}\r\n\r\n--xy\r\n--xyz--"), Ok("--xy")),
            (
                format!(
                    "--xyz\r\ncontent-disposition: form-data; name=\"n\"\r\n\r\n7\r\n--xyz\r\n{file}\r\n\r\na\r\n--xyz--"
                ),
                Ok("a"),
            ),
            ("--xyz\r\n\r\nnameless\r\n--xyz--".to_owned(), Err(Fault::Missing)),
            ("--xyz--\r\n".to_owned(), Err(Fault::Missing)),
            (format!("--xyz\r\n{file}\r\n\r\na\r\n--xyz\r\n{file}\r\n\r\nb\r\n--xyz--"), Err(Fault::Twice)),
            (format!("--xyz\r\n{file}\r\n\r\nit never ends"), Err(Fault::Malformed)),
            (format!("--xyz\r\n{file}"), Err(Fault::Malformed)),
            ("--xyzabc\r\n\r\n--xyz--".to_owned(), Err(Fault::Malformed)),
            ("no delimiter".to_owned(), Err(Fault::Malformed)),
            (String::new(), Err(Fault::Malformed)),
        ] {
            assert_eq!(found(&body), wanted, "{body:?}");
        }
        for content_type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; a=b"] {
            assert_eq!(part(content_type, b"--xyz--", "csvFile"), Err(Fault::NoBoundary), "{content_type}");
        }
    }

    #[test]
    fn parameters_may_be_quoted() {
        for (value, wanted) in [
            ("form-data; name=csvFile", Some("csvFile")),
            ("form-data; filename=\"a;name=b\"; Name=\"csvFile\"", Some("csvFile")),
            ("form-data; name=\"a\\\"b\"", Some("a\"b")),
            ("form-data; name", Some("")),
            ("form-data; name=\"open", None),
            ("form-data", None),
        ] {
            assert_eq!(parameter(value, "name").as_deref(), wanted, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_content_without_the_boundary_is_found_as_it_is(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assume!(memchr::memmem::find(&content, b"--xyz").is_none());
            let mut body = b"--xyz\r\nContent-Disposition: form-data; name=\"csvFile\"\r\n\r\n".to_vec();
            body.extend(&content);
            body.extend(b"\r\n--xyz--\r\n");
            let range = part(TYPE, &body, "csvFile").expect("it is there");
            prop_assert_eq!(&body[range], &content[..]);
        }

        #[test]
        fn no_body_is_too_strange(body in proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'x'), Just(b'y'), Just(b'z'), Just(b'\r'), Just(b'\n'), Just(b':')], 0..80)) {
            if let Ok(range) = part(TYPE, &body, "csvFile") {
                prop_assert!(range.end <= body.len());
            }
        }
    }
}
