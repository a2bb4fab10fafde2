//! The parameters of a request: an object of JSON or a query string. An operation asks for what it knows, by name and type;
//! what it did not ask for is refused by name, and so is what is given twice.

use std::fmt;
use std::ops::RangeInclusive;

use percent_encoding::percent_decode;

use super::failure::{Refusal, shortened};
use crate::http::given::Value;

/// The most texts that a list may have.
pub const MAX_TEXTS: usize = 100;

/// Parameters that were given and not asked for yet.
#[derive(Debug, Default)]
pub struct Given {
    /// What goes before their names, as `match.`.
    place: String,
    /// They are in a query string, where everything is text and a list is a text with commas or the same name again.
    in_query: bool,
    fields: Vec<(String, Value)>,
    /// What was asked for, given or not.
    known: Vec<&'static str>,
}

impl Given {
    /// The parameters of a query string.
    pub fn of_query(query: &str) -> Result<Given, Refusal> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let fields = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, Value::Text(decoded(value)?)))
        });
        Ok(Given { in_query: true, fields: fields.collect::<Result<_, _>>()?, ..Given::default() })
    }

    /// The parameters of a body.
    pub fn of_body(body: &[u8]) -> Result<Given, Refusal> {
        let value = Value::of_json(body).map_err(|mistake| Refusal::new(400, "not_json", mistake.to_string()))?;
        match value {
            Value::Object(fields) => Ok(Given { fields, ..Given::default() }),
            other => {
                let message = format!("The body has to be an object, not {}.", other.type_name());
                Err(Refusal::new(400, "wrong_type", message))
            }
        }
    }

    /// What `read` makes of the parameters, as long as there are no others.
    pub fn read<T>(mut self, read: impl FnOnce(&mut Given) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let made = read(&mut self)?;
        let Some((name, _)) = self.fields.first() else { return Ok(made) };
        let known: Vec<String> = self.known.iter().map(|name| format!("`{}{name}`", self.place)).collect();
        let known = if known.is_empty() {
            "nothing can be given here".to_owned()
        } else {
            format!("what can be given here is {}", known.join(", "))
        };
        let name = shortened(&format!("{}{name}", self.place));
        let message = format!("`{name}` is not known: {known}.");
        Err(Refusal::of_param(name, "unknown_parameter", message))
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        match self.take(name)? {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a string", &other)),
        }
    }

    /// Texts: of a query those between commas, of every time that the name is given.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Refusal> {
        let values = if self.in_query {
            self.known.push(name);
            let values: Vec<Value> =
                self.fields.extract_if(.., |(key, _)| key == name).map(|(_, value)| value).collect();
            if values.is_empty() {
                return Ok(None);
            }
            values
        } else {
            match self.take(name)? {
                None => return Ok(None),
                Some(Value::List(values)) => values,
                Some(other) => return Err(self.wrong(name, "a list of strings", &other)),
            }
        };
        let mut texts = Vec::new();
        for value in values {
            match value {
                Value::Text(text) if self.in_query => texts.extend(text.split(',').map(|text| text.trim().to_owned())),
                Value::Text(text) => texts.push(text),
                other => return Err(self.wrong(name, "a list of strings", &other)),
            }
        }
        if texts.len() > MAX_TEXTS {
            let message = format!("`{}` may have at most {MAX_TEXTS} items.", self.named(name));
            return Err(Refusal::of_param(self.named(name), "too_many", message));
        }
        Ok(Some(texts))
    }

    /// A whole number within bounds.
    pub fn whole(&mut self, name: &'static str, bounds: RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let number = match self.take(name)? {
            None => return Ok(None),
            Some(Value::Whole(number)) => number,
            Some(Value::Text(text)) if self.in_query => {
                text.parse().map_err(|_| self.wrong(name, "a whole number", &Value::Text(text)))?
            }
            Some(other) => return Err(self.wrong(name, "a whole number", &other)),
        };
        if bounds.contains(&number) {
            return Ok(Some(number));
        }
        let (least, most) = (bounds.start(), bounds.end());
        let message = format!("`{}` has to be between {least} and {most}.", self.named(name));
        Err(Refusal::of_param(self.named(name), "out_of_range", message))
    }

    /// True or false.
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Refusal> {
        match self.take(name)? {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(flag)),
            Some(Value::Text(text)) if self.in_query && text == "true" => Ok(Some(true)),
            Some(Value::Text(text)) if self.in_query && text == "false" => Ok(Some(false)),
            Some(other) => Err(self.wrong(name, "true or false", &other)),
        }
    }

    /// One of these words.
    pub fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match all.iter().find(|each| word(**each) == text) {
            Some(each) => Ok(Some(*each)),
            None => {
                let words: Vec<String> = all.iter().map(|each| format!("`{}`", word(*each))).collect();
                let message = format!("`{}` has to be one of {}.", self.named(name), words.join(", "));
                Err(Refusal::of_param(self.named(name), "unknown_word", message))
            }
        }
    }

    /// An object, to be `read` like the whole.
    pub fn object(&mut self, name: &'static str) -> Result<Option<Given>, Refusal> {
        match self.take(name)? {
            None => Ok(None),
            Some(Value::Object(fields)) => {
                let place = format!("{}.", self.named(name));
                Ok(Some(Given { place, fields, ..Given::default() }))
            }
            Some(other) => Err(self.wrong(name, "an object", &other)),
        }
    }

    /// All that an object has, each of it a text.
    pub fn all_texts(self) -> Result<Vec<(String, String)>, Refusal> {
        let Given { place, fields, .. } = self;
        let mut texts: Vec<(String, String)> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let full = shortened(&format!("{place}{name}"));
            match value {
                Value::Text(_) if texts.iter().any(|(known, _)| *known == name) => {
                    let message = format!("`{full}` was given more than once.");
                    return Err(Refusal::of_param(full, "given_twice", message));
                }
                Value::Text(text) => texts.push((name, text)),
                other => {
                    let message = format!("`{full}` has to be a string, not {}.", other.type_name());
                    return Err(Refusal::of_param(full, "wrong_type", message));
                }
            }
        }
        Ok(texts)
    }

    /// What has to be given.
    pub fn needed<T>(&self, name: &'static str, value: Option<T>) -> Result<T, Refusal> {
        value.ok_or_else(|| {
            Refusal::of_param(self.named(name), "missing_parameter", format!("`{}` has to be given.", self.named(name)))
        })
    }

    /// A refusal of a parameter that has the right type.
    pub fn refuse(&self, name: &'static str, code: &'static str, why: impl fmt::Display) -> Refusal {
        Refusal::of_param(self.named(name), code, format!("`{}`: {why}", self.named(name)))
    }

    fn named(&self, name: &'static str) -> String {
        format!("{}{name}", self.place)
    }

    fn take(&mut self, name: &'static str) -> Result<Option<Value>, Refusal> {
        self.known.push(name);
        let Some(place) = self.fields.iter().position(|(key, _)| key == name) else { return Ok(None) };
        let (_, value) = self.fields.remove(place);
        if self.fields.iter().any(|(key, _)| key == name) {
            let message = format!("`{}` was given more than once.", self.named(name));
            return Err(Refusal::of_param(self.named(name), "given_twice", message));
        }
        Ok(Some(value))
    }

    fn wrong(&self, name: &'static str, wanted: &'static str, given: &Value) -> Refusal {
        let name = self.named(name);
        let given = match given {
            Value::Text(text) if self.in_query => format!("`{}`", shortened(text)),
            other => other.type_name().to_owned(),
        };
        Refusal::of_param(name.clone(), "wrong_type", format!("`{name}` has to be {wanted}, not {given}."))
    }
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    let decoded = decoded.map_err(|_| Refusal::new(400, "not_text", "The query string is not UTF-8."))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused<T: fmt::Debug>(outcome: Result<T, Refusal>) -> (String, &'static str, String) {
        let refusal = outcome.expect_err("it is refused");
        (refusal.param.unwrap_or_default(), refusal.code, refusal.message)
    }

    fn body(text: &str) -> Given {
        Given::of_body(text.as_bytes()).unwrap()
    }

    fn query(text: &str) -> Given {
        Given::of_query(text).unwrap()
    }

    #[test]
    fn a_body_is_read_by_name_and_type() {
        let given = body(r#"{"name":"a","times":3,"on":true,"match":{"path":"/x"},"list":["a,b","c"]}"#);
        let read = given.read(|given| {
            let inner = given.object("match")?.map(|inner| inner.read(|inner| inner.text("path"))).transpose()?;
            Ok((given.text("name")?, given.whole("times", 1..=3)?, given.flag("on")?, inner, given.texts("list")?))
        });
        let list = vec!["a,b".to_owned(), "c".into()];
        assert_eq!(read.unwrap(), (Some("a".into()), Some(3), Some(true), Some(Some("/x".into())), Some(list)));
    }

    #[test]
    fn a_query_is_text_that_is_read_as_what_is_asked_for() {
        let given = query("types=a,b&limit=5&types=c%2Cd+e&on=false&");
        let read = given.read(|given| {
            Ok((given.texts("types")?, given.whole("limit", 1..=9)?, given.flag("on")?, given.text("no")?))
        });
        let types: Vec<String> = ["a", "b", "c", "d e"].map(str::to_owned).into();
        assert_eq!(read.unwrap(), (Some(types), Some(5), Some(false), None));
    }

    #[test]
    fn what_nobody_asked_for_is_refused_by_name() {
        let (param, code, message) = refused(body(r#"{"nmae":1}"#).read(|given| given.text("name")));
        assert_eq!((&*param, code), ("nmae", "unknown_parameter"));
        assert_eq!(message, "`nmae` is not known: what can be given here is `name`.");
        let inner =
            |given: &mut Given| given.object("match")?.map(|inner| inner.read(|inner| inner.text("path"))).transpose();
        let (param, _, message) = refused(body(r#"{"match":{"pth":1}}"#).read(inner));
        assert_eq!(
            (&*param, &*message),
            ("match.pth", "`match.pth` is not known: what can be given here is `match.path`.")
        );
        let (_, _, message) = refused(query("a=1").read(|_| Ok(())));
        assert_eq!(message, "`a` is not known: nothing can be given here.");
    }

    #[test]
    fn wrong_types_are_named() {
        let mut given = body(r#"{"a":1,"b":"x","c":null,"d":1.5,"e":[1],"f":{},"g":18446744073709551615}"#);
        assert_eq!(refused(given.text("a")).2, "`a` has to be a string, not a number.");
        assert_eq!(refused(given.whole("b", 0..=1)).2, "`b` has to be a whole number, not a string.");
        assert_eq!(refused(given.text("c")).2, "`c` has to be a string, not null.");
        assert_eq!(
            refused(given.whole("d", 0..=1)).2,
            "`d` has to be a whole number, not a number that is not whole or too large."
        );
        assert_eq!(refused(given.texts("e")).2, "`e` has to be a list of strings, not a number.");
        assert_eq!(refused(given.flag("f")).2, "`f` has to be true or false, not an object.");
        assert_eq!(refused(given.whole("g", 0..=1)).1, "wrong_type");
        let mut given = query("a=x&b=9&c=x");
        assert_eq!(refused(given.whole("a", 0..=1)).2, "`a` has to be a whole number, not `x`.");
        assert_eq!(refused(given.whole("b", 0..=1)).2, "`b` has to be between 0 and 1.");
        assert_eq!(refused(given.one_of("c", &["one", "two"], |word| word)).2, "`c` has to be one of `one`, `two`.");
        assert_eq!(refused(given.needed::<()>("d", None)).2, "`d` has to be given.");
    }

    #[test]
    fn what_is_given_twice_is_refused() {
        assert_eq!(refused(body(r#"{"a":"x","a":"y"}"#).text("a")).1, "given_twice");
        assert_eq!(refused(query("a=x&a=y").text("a")).1, "given_twice");
    }

    #[test]
    fn what_is_no_object_of_json_is_refused() {
        for (text, code) in
            [("", "not_json"), ("{", "not_json"), ("{} {}", "not_json"), ("[]", "wrong_type"), ("1", "wrong_type")]
        {
            assert_eq!(refused(Given::of_body(text.as_bytes())).1, code, "{text}");
        }
        assert_eq!(refused(Given::of_body("[".repeat(1_000_000).as_bytes())).1, "not_json");
        assert_eq!(refused(Given::of_body(b"{\"a\":\"\xff\"}")).1, "not_json");
        assert_eq!(refused(Given::of_query("a=%ff")).1, "not_text");
    }
}
