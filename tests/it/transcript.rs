//! Reads a transcript: a text file that says what is asked of a server, what it answers and what happens. The format is
//! told in tests/cases/README.md. A file that cannot be read to its last character is an error, never a shorter test.

use std::collections::BTreeSet;

use crate::json::{Json, Wish, check_spelling};

/// A transcript, step by step.
#[derive(Debug)]
pub struct Transcript {
    pub steps: Vec<Step>,
}

/// A step and the line it begins at.
#[derive(Debug)]
pub struct Step {
    pub line: usize,
    pub what: What,
}

/// What a step does.
#[derive(Debug)]
pub enum What {
    /// The clock moves on.
    Advance { millis: i64 },
    /// The server stops and starts again on the same data.
    Restart,
    /// The sandbox gets another key.
    Key { text: String, grant: Grant },
    /// A request is sent and its reply looked at.
    Exchange(Box<Exchange>),
}

/// What a key may do.
#[derive(Clone, Debug, PartialEq)]
pub enum Grant {
    /// Nothing any more.
    Revoked,
    /// What is listed: resource and access, as `customer` and `read`.
    Restricted(Vec<(String, String)>),
}

/// A request and what is expected of its reply. Every text may hold `{$name.path}` and `{x*3}`.
#[derive(Debug)]
pub struct Exchange {
    /// It only prepares: all that is asked of it is its status.
    pub given: bool,
    /// How often it is sent.
    pub times: usize,
    pub method: String,
    pub target: String,
    pub sent: Sent,
    pub reply: Expected,
}

/// What a request is sent with.
#[derive(Debug, Default)]
pub struct Sent {
    /// `none`, a key, or a scheme with a key; unset for the key of the sandbox.
    pub auth: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// What a request carries.
#[derive(Debug, Default, PartialEq)]
pub enum Body {
    #[default]
    Nothing,
    /// Names and values, to be encoded into the body of a POST and the query of anything else.
    Pairs(Vec<(String, String)>),
    /// Exactly this, where `\xff` is a byte.
    Raw(String),
    /// Exactly this, which is said to be JSON.
    Json(String),
}

/// What is expected of a reply.
#[derive(Debug)]
pub struct Expected {
    pub status: u16,
    pub capture: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: ExpectedBody,
    /// Exactly these happen, in this order: type, and what is expected of the event.
    pub events: Vec<(String, Option<String>)>,
}

/// What is expected of the body of a reply.
#[derive(Debug, PartialEq)]
pub enum ExpectedBody {
    /// Nothing is said; only steps that prepare may.
    Unseen,
    /// An object with at least these keys.
    Subset(String),
    /// An object with these keys in this order.
    Exactly(String),
    /// Byte for byte the body of an earlier reply.
    SameAs(String),
    /// Nothing.
    Empty,
}

const METHODS: [&str; 7] = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"];

/// Reads a transcript.
pub fn parse(text: &str) -> Result<Transcript, String> {
    let mut reader =
        Reader { lines: text.lines().enumerate().collect(), next: 0, steps: Vec::new(), captured: BTreeSet::new() };
    let title = reader.lines.first().map(|(_, line)| *line).unwrap_or_default();
    if !title.starts_with("# ") || !title.ends_with('.') {
        return Err("line 1: a transcript begins with a sentence: # ... .".to_owned());
    }
    while let Some((number, line)) = reader.take() {
        reader.step(number, line).map_err(|trouble| format!("line {}: {trouble}", number + 1))?;
    }
    let tests = reader.steps.iter().any(|step| matches!(&step.what, What::Exchange(exchange) if !exchange.given));
    if !tests {
        return Err("nothing is tested: every request is a given one".to_owned());
    }
    Ok(Transcript { steps: reader.steps })
}

struct Reader<'a> {
    lines: Vec<(usize, &'a str)>,
    next: usize,
    steps: Vec<Step>,
    captured: BTreeSet<String>,
}

impl Sent {
    /// Takes in one line of a request.
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(auth) = line.strip_prefix("auth: ") {
            self.auth = Some(auth.to_owned());
        } else if let Some(raw) = line.strip_prefix("raw: ") {
            if self.body != Body::Nothing {
                return Err("a raw body stands alone".to_owned());
            }
            self.body = Body::Raw(raw.to_owned());
        } else if let Some(json) = line.strip_prefix("json: ") {
            if self.body != Body::Nothing {
                return Err("a body of JSON stands alone".to_owned());
            }
            self.body = Body::Json(json.to_owned());
        } else if let Some((name, value)) = header(line) {
            self.headers.push((name.to_owned(), value.to_owned()));
        } else if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.is_empty()) {
            if value.trim() != value {
                return Err("space around a value is easily lost: use raw:".to_owned());
            }
            let pair = (name.to_owned(), value.to_owned());
            match &mut self.body {
                Body::Pairs(pairs) => pairs.push(pair),
                Body::Nothing => self.body = Body::Pairs(vec![pair]),
                Body::Raw(_) | Body::Json(_) => return Err("a whole body stands alone".to_owned()),
            }
        } else {
            return Err(format!("{line:?} is neither a header nor a parameter"));
        }
        Ok(())
    }
}

impl<'a> Reader<'a> {
    /// The next line that says something.
    fn take(&mut self) -> Option<(usize, &'a str)> {
        while let Some((number, line)) = self.lines.get(self.next) {
            self.next += 1;
            if !line.is_empty() && !line.starts_with('#') {
                return Some((*number, line));
            }
        }
        None
    }

    /// The next line that says something and does not begin a step.
    fn take_inner(&mut self) -> Option<&'a str> {
        let before = self.next;
        match self.take() {
            Some((_, line)) if !begins_step(line) => Some(line),
            _ => {
                self.next = before;
                None
            }
        }
    }

    fn step(&mut self, number: usize, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split(' ').collect();
        let what = match words[..] {
            ["restart"] => What::Restart,
            ["advance", span] => What::Advance { millis: millis(span)? },
            ["key", text, ref grants @ ..] if !grants.is_empty() => {
                What::Key { text: text.to_owned(), grant: grant(grants)? }
            }
            _ => What::Exchange(Box::new(self.exchange(&words)?)),
        };
        self.steps.push(Step { line: number + 1, what });
        Ok(())
    }

    fn exchange(&mut self, words: &[&str]) -> Result<Exchange, String> {
        let (given, times, method, target) = match words {
            ["given", times, "times", method, target] => {
                (true, times.parse().map_err(|_| format!("{times} is no number"))?, method, target)
            }
            ["given", method, target] => (true, 1, method, target),
            [method, target] => (false, 1, method, target),
            _ => return Err("neither a request nor any other step".to_owned()),
        };
        if !METHODS.contains(method) || !target.starts_with('/') {
            return Err(format!("{method} {target} is no request"));
        }
        self.check_references(target)?;

        let mut sent = Sent::default();
        let arrow = loop {
            let line = self.take_inner().ok_or("the request has no line => with a status")?;
            if let Some(arrow) = line.strip_prefix("=> ") {
                break arrow;
            }
            self.check_references(line)?;
            sent.line(line)?;
        };
        let reply = self.expected(arrow, given)?;
        if let Some(name) = &reply.capture {
            match times {
                1 => self.captured.extend([name.clone()]),
                _ => self.captured.extend((1..=times).map(|time| format!("{name}{time}"))),
            }
        }
        let (method, target) = ((*method).to_owned(), (*target).to_owned());
        Ok(Exchange { given, times, method, target, sent, reply })
    }

    fn expected(&mut self, arrow: &str, given: bool) -> Result<Expected, String> {
        let (status, capture) = match arrow.split(' ').collect::<Vec<_>>()[..] {
            [status] => (status, None),
            [status, "as", name] => (status, Some(name.strip_prefix('$').ok_or("a captured name begins with $")?)),
            _ => return Err(format!("=> {arrow} is not => STATUS or => STATUS as $name")),
        };
        let status = status.parse().ok().filter(|status| (200..600).contains(status));
        let mut expected = Expected {
            status: status.ok_or_else(|| format!("=> {arrow} has no status"))?,
            capture: capture.map(str::to_owned),
            headers: Vec::new(),
            body: ExpectedBody::Unseen,
            events: Vec::new(),
        };
        while let Some(line) = self.take_inner() {
            self.expected_line(&mut expected, line)?;
        }
        let says_nothing = expected.body == ExpectedBody::Unseen;
        if given && !(says_nothing && expected.headers.is_empty() && expected.events.is_empty()) {
            return Err("a given request expects nothing but its status".to_owned());
        }
        if !given && says_nothing {
            return Err("the reply's body is not told".to_owned());
        }
        Ok(expected)
    }

    fn expected_line(&mut self, expected: &mut Expected, line: &'a str) -> Result<(), String> {
        if let Some(event) = line.strip_prefix("! ") {
            let (kind, rest) = event.split_once(' ').unwrap_or((event, ""));
            let about = if rest.is_empty() { None } else { Some(self.json(rest)?) };
            if about.as_ref().is_some_and(|(_, json)| *json == Json::Object(Vec::new())) {
                return Err("an event about which nothing is said needs no {}".to_owned());
            }
            let tells_before = about.as_ref().is_some_and(|(_, json)| json.get("previous_attributes").is_some());
            if kind.ends_with(".updated") && !tells_before {
                return Err("an update tells its previous_attributes".to_owned());
            }
            expected.events.push((kind.to_owned(), about.map(|(text, _)| text)));
            return Ok(());
        }
        if let Some((name, value)) = header(line) {
            self.check_references(value)?;
            Wish::spelt(value)?;
            expected.headers.push((name.to_owned(), value.to_owned()));
            return Ok(());
        }
        if expected.body != ExpectedBody::Unseen {
            return Err(format!("{line:?} comes after the body and is no event"));
        }
        expected.body = if line == "empty" {
            ExpectedBody::Empty
        } else if let Some(name) = line.strip_prefix("same as $") {
            self.check_references(&format!("{{${name}}}"))?;
            ExpectedBody::SameAs(name.to_owned())
        } else if let Some(start) = line.strip_prefix("exactly ") {
            ExpectedBody::Exactly(self.json(start)?.0)
        } else {
            let (text, json) = self.json(line)?;
            if json == Json::Object(Vec::new()) {
                return Err("{} expects nothing".to_owned());
            }
            ExpectedBody::Subset(text)
        };
        Ok(())
    }

    /// The object or list that begins at `start` and goes on over the following lines.
    fn json(&mut self, start: &str) -> Result<(String, Json), String> {
        if !start.starts_with(['{', '[']) {
            return Err(format!("{start:?} is no expectation"));
        }
        let mut text = start.to_owned();
        while !closed(&text) {
            let (_, line) = self.lines.get(self.next).ok_or("the expectation's braces do not close")?;
            self.next += 1;
            text.push('\n');
            text.push_str(line);
        }
        self.check_references(&text)?;
        let sample = filled_in(&text, &|_| Ok("0".to_owned()))?;
        let json = Json::parse(&sample)?;
        check_spelling(&json)?;
        Ok((text, json))
    }

    fn check_references(&self, text: &str) -> Result<(), String> {
        filled_in(text, &|reference| {
            let name = reference.split(['.', ':']).next().unwrap_or_default();
            match name == "#" || self.captured.contains(name) {
                true => Ok(String::new()),
                false => Err(format!("nothing was captured as ${name}")),
            }
        })
        .map(|_| ())
    }
}

fn begins_step(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    ["given", "restart", "advance", "key"].contains(&first) || METHODS.contains(&first)
}

/// A header line: a name that begins with a capital, a colon and a space.
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    let named = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    named.then_some((name, value))
}

fn millis(span: &str) -> Result<i64, String> {
    let seconds = match span.split_at(span.len().saturating_sub(1)) {
        (number, "s") => (number, 1),
        (number, "m") => (number, 60),
        (number, "h") => (number, 3_600),
        (number, "d") => (number, 86_400),
        _ => return Err(format!("{span} is no span of time, as 90s, 5m, 25h or 31d")),
    };
    let (number, unit) = seconds;
    number.parse::<i64>().map(|number| number * unit * 1000).map_err(|_| format!("{span} has no whole number"))
}

fn grant(words: &[&str]) -> Result<Grant, String> {
    if words == ["revoked"] {
        return Ok(Grant::Revoked);
    }
    let pairs = words.iter().map(|word| match word.split_once('=') {
        Some((resource, access @ ("none" | "read" | "write"))) => Ok((resource.to_owned(), access.to_owned())),
        _ => Err(format!("{word} is no permission, as customer=read")),
    });
    pairs.collect::<Result<_, _>>().map(Grant::Restricted)
}

/// Whether every brace and bracket that was opened is closed, those in strings aside.
fn closed(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for letter in text.chars() {
        match (in_string, letter) {
            (true, _) if escaped => escaped = false,
            (true, '\\') => escaped = true,
            (_, '"') => in_string = !in_string,
            (false, '{' | '[') => depth += 1,
            (false, '}' | ']') => depth -= 1,
            _ => {}
        }
    }
    depth <= 0 && !in_string
}

/// The text with `{x*3}` written out as `xxx` and `{$name.path}` replaced by what `look_up` knows of `name.path`.
pub fn filled_in(text: &str, look_up: &dyn Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let inner = rest[1..].find(['{', '}', '\n', ' ', '"']).map(|end| &rest[1..=end]);
        let inner = inner.filter(|inner| rest[1 + inner.len()..].starts_with('}'));
        let replacement = match inner {
            Some("#") => Some(look_up("#")?),
            Some(inner) => match (inner.strip_prefix('$'), inner.rsplit_once('*')) {
                (Some(reference), _) => Some(look_up(reference)?),
                (None, Some((unit, times))) if !unit.is_empty() => times.parse().ok().map(|times| unit.repeat(times)),
                _ => None,
            },
            None => None,
        };
        match (replacement, inner) {
            (Some(replacement), Some(inner)) => {
                filled.push_str(&replacement);
                rest = &rest[inner.len() + 2..];
            }
            _ => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::{filled_in, parse};

    #[test]
    fn repetitions_and_references_are_filled_in() {
        let filled = filled_in(r#"{"a": "{ab*2}", "b": {$c.id}, "d": {}, "#, &|name| Ok(format!("<{name}>")));
        assert_eq!(filled.unwrap(), r#"{"a": "abab", "b": <c.id>, "d": {}, "#);
        assert_eq!(filled_in("a{[b]*2}=1", &|_| Err(String::new())).unwrap(), "a[b][b]=1");
    }

    #[test]
    fn a_malformed_transcript_is_refused() {
        let good = "# A sentence.\nPOST /v1/customers\nname=a\n=> 200\n{\"name\": \"a\"}\n! customer.created\n";
        parse(good).unwrap();
        for (bad, why) in [
            ("", "begins with a sentence"),
            ("# No full stop\n", "begins with a sentence"),
            ("# Nothing.\n", "nothing is tested"),
            ("# Only given.\ngiven GET /v1/customers\n=> 200\n", "nothing is tested"),
            ("# A.\nGET /v1/customers\n=> 200\n", "body is not told"),
            ("# A.\nGET /v1/customers\n{\"a\": 1}\n", "neither a header nor a parameter"),
            ("# A.\nGET /v1/customers\n=> 200\n{}\n", "{} expects nothing"),
            ("# A.\nGET /v1/customers\n=> 200\n{\"a\": \"<itn>\"}\n", "no wildcard"),
            ("# A.\nGET /v1/customers\n=> 200\n{\"a\": 1, \"a\": 1}\n", "twice"),
            ("# A.\nGET /v1/customers\n=> 200\n{\"a\": 1\n", "do not close"),
            ("# A.\nGET /v1/customers\n=> 200\n{\"a\": 1} x\n", "trailing"),
            ("# A.\nGET /v1/customers\n=> 200\n{\"a\": 1}\n{\"a\": 1}\n", "comes after the body"),
            ("# A.\nGET /v1/customers\n=> 20\n{\"a\": 1}\n", "no status"),
            ("# A.\nGET /v1/customers/{$a.id}\n=> 200\n{\"a\": 1}\n", "captured as $a"),
            ("# A.\nGET /v1/customers\n=> 200\n{\"a\": \"{$a.id}\"}\n", "captured as $a"),
            ("# A.\nGRAB /v1/customers\n=> 200\n{\"a\": 1}\n", "no request"),
            ("# A.\nPOST /v1/customers\nname\n=> 200\n{\"a\": 1}\n", "neither a header nor a parameter"),
            ("# A.\nPOST /v1/customers\nname=a \n=> 200\n{\"a\": 1}\n", "easily lost"),
            ("# A.\nPOST /v1/customers\nname=a\nraw: b=c\n=> 200\n{\"a\": 1}\n", "stands alone"),
            ("# A.\nadvance soon\n", "no span"),
            ("# A.\nkey rk_test_a customer\n", "no permission"),
            ("# A.\nPOST /v1/c\n=> 200\n{\"a\": 1}\n! customer.updated\n", "previous_attributes"),
            ("# A.\nPOST /v1/c\n=> 200\n{\"a\": 1}\n! customer.created {}\n", "needs no {}"),
            ("# A.\ngiven POST /v1/c\n=> 200\n{\"a\": 1}\n", "nothing but its status"),
        ] {
            let trouble = parse(bad).expect_err(bad);
            assert!(trouble.contains(why), "{bad:?} is refused with {trouble:?}, not {why:?}");
        }
    }
}
