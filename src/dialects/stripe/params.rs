//! One row per parameter, and the one reader over the rows: it refuses unknown names, wrong types and wrong lengths, knows
//! what an empty string means and in which versions a parameter exists. What a value does is the row's slot.

mod value;

use icu_locale_core::Locale;

use super::failure::Refusal;
use super::secrets::is_id;
use super::versions::Version;
use crate::domain::coupon::Percent;
use crate::domain::metadata::{MAX_KEY_CHARACTERS, MAX_VALUE_CHARACTERS, MetadataChange};
use crate::domain::money::Currency;
use crate::domain::page::Span;
use crate::domain::promotion_code::{Code, MAX_CODE};
use crate::domain::secret::is_like_a_number;
use crate::domain::time::Time;
use crate::http::form::{Hash, Node};

pub use value::Value;

/// A parameter of an endpoint that fills a `C`.
pub struct Param<C: 'static> {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind<C>,
    /// What an empty string means.
    pub empty: Empty,
    /// It must be there.
    pub required: bool,
    /// The date on which it was added; empty when it was always there.
    pub added: &'static str,
    /// The date on which it was removed; empty when it is still there.
    pub removed: &'static str,
}

/// What a parameter holds.
pub enum Kind<C: 'static> {
    /// A value of that shape, and the slot it fills.
    Value(&'static Shape, fn(&mut C, Value)),
    /// Parameters of their own, each merged by itself.
    Group(&'static [Param<C>]),
    /// Something that this server has no support for: refused by name.
    Unsupported,
}

/// What an empty string means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// An error.
    Refused,
    /// The parameter is unset.
    Unsets,
    /// Nothing.
    Ignored,
}

/// The shape of a value.
pub enum Shape {
    /// Text of at most so many characters, kept as it came.
    Text(usize),
    /// The id of something that is paid with, or a name that documents give to one: text of at most so many characters. Of
    /// what cannot be one nothing is repeated; it is none of the noun.
    Id(usize, &'static str),
    /// Secret text of at most so many characters. `secrets` knows its name.
    Secret(usize),
    /// Text of at most so many characters before and since a date.
    TextGrown {
        /// Since then.
        max: usize,
        /// Before.
        was: usize,
        /// The date.
        on: &'static str,
    },
    /// Text that is trimmed; what is blank is unset.
    Trimmed(usize),
    /// A phone number: trimmed text, with error words of its own.
    Phone(usize),
    /// An e-mail address of at most so many characters.
    Email(usize),
    /// Where to go on: an address with a scheme, of a page or of an app, of at most 5000 characters.
    Url,
    /// A country: text, kept in upper case.
    Country(usize),
    /// An IPv4 or IPv6 address.
    Ip,
    /// An IETF language tag.
    Locale,
    /// A currency code.
    Currency,
    /// 3 to 12 of `A`-`Z` and `0`-`9`.
    InvoicePrefix,
    /// A whole number within bounds.
    Integer {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// A percentage with at most two decimal places, more than 0 and at most 100.
    Percent,
    /// A second.
    Moment,
    /// The code of a promotion code.
    Code,
    /// `true` or `false`.
    Flag,
    /// One of some words.
    Choice(&'static [Word]),
    /// Fixed fields; the whole is replaced.
    Record(&'static [Field]),
    /// The id of a token, of at most 5000 characters, or a record of the kind that its `object` names; one that names none
    /// is of the only kind there is.
    TextOr(&'static [(&'static str, &'static [Field])]),
    /// Elements of one shape; the whole is replaced.
    List(&'static Shape, usize),
    /// Free data.
    Metadata,
    /// A second, or a range of seconds with `gt`, `gte`, `lt`, `lte`.
    Span,
    /// Something that this server has no support for: refused by name.
    Unsupported,
    /// The id of a thing that this server keeps none of, by its noun: whatever is named does not exist.
    NoSuch(&'static str),
}

/// A word of a choice.
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// The date on which it was added; empty when it was always there.
    pub added: &'static str,
}

/// A word that was always there.
pub const fn word(word: &'static str) -> Word {
    Word { word, added: "" }
}

/// A field of a record.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its shape.
    pub shape: &'static Shape,
    /// It must be there, and not be empty.
    pub required: bool,
    /// The date on which it was added; empty when it was always there.
    pub added: &'static str,
}

/// A field that was always there and may be left out.
pub const fn field(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, shape, required: false, added: "" }
}

/// Reads the parameters of a request into a `C`, or refuses them. Unknown names come first, then each parameter in the
/// table's order.
pub fn read<C: Default>(table: &'static [Param<C>], given: &Hash, version: &Version) -> Result<C, Refusal> {
    let mut unknown = Vec::new();
    unknown_params(table, given, "", version, &mut unknown);
    if !unknown.is_empty() {
        return Err(Refusal::unknown_parameters(&unknown));
    }
    let mut filled = C::default();
    fill(table, given, "", version, &mut filled)?;
    Ok(filled)
}

fn fill<C>(
    table: &'static [Param<C>],
    given: &Hash,
    prefix: &str,
    version: &Version,
    filled: &mut C,
) -> Result<(), Refusal> {
    for param in table {
        let Some(node) = given.get(param.name) else {
            if param.required {
                return Err(Refusal::missing_parameter(&inside(prefix, param.name)));
            }
            continue;
        };
        let name = inside(prefix, param.name);
        match (&param.kind, node) {
            (Kind::Unsupported, _) => return Err(Refusal::unsupported_parameter(&name)),
            (_, Node::Text(text)) if text.is_empty() => match (param.empty, &param.kind) {
                (Empty::Refused, _) => return Err(Refusal::empty(&name)),
                (Empty::Unsets, Kind::Value(Shape::Metadata, slot)) => {
                    slot(filled, Value::Metadata(MetadataChange::Clear));
                }
                (Empty::Unsets, Kind::Value(_, slot)) => slot(filled, Value::Unset),
                (Empty::Unsets, Kind::Group(_) | Kind::Unsupported) | (Empty::Ignored, _) => {}
            },
            (Kind::Value(shape, slot), node) => slot(filled, value(shape, node, &name, version)?),
            (Kind::Group(inner), Node::Hash(hash)) => fill(inner, hash, &name, version, filled)?,
            (Kind::Group(_), Node::Text(_) | Node::Secret(_) | Node::List(_)) => {
                return Err(Refusal::invalid(name, "Invalid object"));
            }
        }
    }
    Ok(())
}

fn unknown_params<C>(
    table: &'static [Param<C>],
    given: &Hash,
    prefix: &str,
    version: &Version,
    unknown: &mut Vec<String>,
) {
    for (name, node) in given.iter() {
        match table.iter().find(|param| param.name == name && version.has(param.added, param.removed)) {
            None => unknown.push(inside(prefix, name)),
            Some(param) => match (&param.kind, node) {
                (Kind::Group(inner), Node::Hash(hash)) => {
                    unknown_params(inner, hash, &inside(prefix, name), version, unknown);
                }
                (Kind::Value(shape, _), node) => unknown_fields(shape, node, &inside(prefix, name), version, unknown),
                (Kind::Group(_) | Kind::Unsupported, _) => {}
            },
        }
    }
}

fn unknown_fields(shape: &'static Shape, node: &Node, name: &str, version: &Version, unknown: &mut Vec<String>) {
    match (shape, node) {
        (Shape::Record(fields), Node::Hash(hash)) => unknown_of_record(fields, hash, &[], name, version, unknown),
        (Shape::TextOr(kinds), Node::Hash(hash)) => {
            if let Ok((_, fields)) = kind_of(kinds, hash, name) {
                unknown_of_record(fields, hash, &["object"], name, version, unknown);
            }
        }
        (Shape::List(shape, _), node) => {
            for (index, element) in node.as_list().unwrap_or_default().into_iter().enumerate() {
                unknown_fields(shape, element, &inside(name, &index.to_string()), version, unknown);
            }
        }
        (Shape::Span, Node::Hash(hash)) => {
            let strange = hash.iter().map(|(key, _)| key).filter(|key| !["gt", "gte", "lt", "lte"].contains(key));
            unknown.extend(strange.map(|key| inside(name, key)));
        }
        _ => {}
    }
}

fn unknown_of_record(
    fields: &[Field],
    hash: &Hash,
    beside: &[&str],
    name: &str,
    version: &Version,
    unknown: &mut Vec<String>,
) {
    for (key, inner) in hash.iter().filter(|(key, _)| !beside.contains(key)) {
        match fields.iter().find(|field| field.name == key && version.has(field.added, "")) {
            None => unknown.push(inside(name, key)),
            Some(field) => unknown_fields(field.shape, inner, &inside(name, key), version, unknown),
        }
    }
}

/// The kind of record that a hash says it is.
fn kind_of(
    kinds: &'static [(&'static str, &'static [Field])],
    hash: &Hash,
    name: &str,
) -> Result<(&'static str, &'static [Field]), Refusal> {
    let words = || kinds.iter().map(|(word, _)| *word).collect::<Vec<_>>();
    match (hash.get("object"), kinds) {
        (None, [only]) => Ok(*only),
        (None, _) => Err(Refusal::missing_parameter(&inside(name, "object"))),
        (Some(Node::Text(given)), _) if given.is_empty() => Err(Refusal::empty(&inside(name, "object"))),
        (Some(Node::Text(given)), _) => {
            let kind = kinds.iter().find(|(word, _)| word == given).copied();
            kind.ok_or_else(|| Refusal::choice(&inside(name, "object"), &words()))
        }
        (Some(_), _) => Err(Refusal::choice(&inside(name, "object"), &words())),
    }
}

fn value(shape: &Shape, node: &Node, name: &str, version: &Version) -> Result<Value, Refusal> {
    match (shape, node) {
        (Shape::Unsupported, _) => Err(Refusal::unsupported_parameter(name)),
        (Shape::Record(fields), Node::Hash(hash)) => record(fields, hash, name, version),
        (Shape::TextOr(kinds), Node::Hash(hash)) => {
            let (word, fields) = kind_of(kinds, hash, name)?;
            Ok(Value::Kind(word, Box::new(record(fields, hash, name, version)?)))
        }
        (Shape::TextOr(_), Node::Text(text)) => scalar(&Shape::Id(5000, "token"), text, name, version),
        (Shape::Record(_) | Shape::Metadata, Node::Text(_) | Node::Secret(_) | Node::List(_)) => {
            Err(Refusal::invalid(name, "Invalid object"))
        }
        (Shape::List(shape, most), node) => list(shape, *most, node, name, version),
        (Shape::Metadata, Node::Hash(hash)) => metadata(hash, name).map(Value::Metadata),
        (Shape::Span, Node::Hash(hash)) => span(hash, name).map(Value::Span),
        (Shape::Secret(most), Node::Secret(secret)) => match secret.length() {
            // In characters it would be no more; how much too long is nobody's business.
            length if length > *most => Err(Refusal::too_long_secret(name, *most)),
            _ => Ok(Value::Secret(secret.clone())),
        },
        // A secret's name where the table has something else.
        (_, Node::Secret(_)) => Err(Refusal::invalid(name, "Invalid value")),
        (shape, Node::Text(text)) => scalar(shape, text, name, version),
        (Shape::Integer { .. } | Shape::Moment | Shape::Span, Node::Hash(_) | Node::List(_)) => {
            Err(Refusal::integer(name, "{...}"))
        }
        (Shape::Percent, Node::Hash(_) | Node::List(_)) => Err(Refusal::invalid(name, "Invalid decimal: {...}")),
        (_, Node::Hash(_) | Node::List(_)) => Err(Refusal::invalid(name, "Invalid string: {...}")),
    }
}

fn scalar(shape: &Shape, text: &str, name: &str, version: &Version) -> Result<Value, Refusal> {
    // What is trimmed is measured as it will be kept.
    let text = if matches!(shape, Shape::Trimmed(_) | Shape::Phone(_)) { text.trim() } else { text };
    let longer_than = |most: usize| text.len() > most && text.chars().count() > most;
    match shape {
        Shape::Text(most) if longer_than(*most) => Err(Refusal::too_long(name, text, *most)),
        Shape::Text(_) => Ok(Value::Text(text.to_owned())),
        Shape::Id(most, _) if longer_than(*most) => Err(Refusal::too_long_secret(name, *most)),
        Shape::Id(_, noun) if !is_id(text) => Err(Refusal::no_such(noun, "***", name)),
        Shape::Id(..) => Ok(Value::Text(text.to_owned())),
        Shape::Secret(_) | Shape::Unsupported => Err(Refusal::invalid(name, "Invalid value")),
        Shape::TextGrown { max, was, on } => {
            let most = if version.every_generation || version.since(on) { *max } else { *was };
            scalar(&Shape::Text(most), text, name, version)
        }
        Shape::Trimmed(most) if longer_than(*most) => Err(Refusal::too_long(name, text, *most)),
        // The words changed at some time between the versions; probes of 2026 show the newer ones.
        Shape::Phone(most) if longer_than(*most) && version.since("2025-09-30") => {
            Err(Refusal::phone_too_long(name, text, *most))
        }
        Shape::Phone(most) if longer_than(*most) => Err(Refusal::too_long(name, text, *most)),
        Shape::Trimmed(_) | Shape::Phone(_) if text.is_empty() => Ok(Value::Unset),
        Shape::Trimmed(_) | Shape::Phone(_) => Ok(Value::Text(text.to_owned())),
        Shape::Email(most) if longer_than(*most) => Err(Refusal::too_long(name, text, *most)),
        Shape::Email(_) if !is_email(text) => Err(Refusal::email(name, text)),
        Shape::Email(_) => Ok(Value::Text(text.to_owned())),
        Shape::Url if longer_than(5000) => Err(Refusal::too_long(name, text, 5000)),
        Shape::Url if !is_url(text) => Err(Refusal::url(name)),
        Shape::Url => Ok(Value::Text(text.to_owned())),
        Shape::Country(most) if longer_than(*most) => Err(Refusal::too_long(name, text, *most)),
        Shape::Country(_) => Ok(Value::Text(text.to_uppercase())),
        Shape::Ip => {
            text.parse().map(Value::Ip).map_err(|_| Refusal::invalid(name, format!("Invalid IP address: {text}")))
        }
        Shape::Locale => match text.parse::<Locale>() {
            Ok(locale) if !locale.id.language.is_unknown() => Ok(Value::Text(text.to_owned())),
            Ok(_) | Err(_) => Err(Refusal::invalid(
                name,
                "Not a valid language, try using an IETF language tag, such as 'en-US'. For more information, check \
                 https://tools.ietf.org/html/rfc5646",
            )),
        },
        Shape::Currency => Currency::parse(text).map(Value::Currency).ok_or_else(|| {
            let known = crate::domain::money::SUPPORTED.join(", ");
            Refusal::invalid(
                name,
                format!("Invalid currency: {text}. Stripe currently supports these currencies: {known}"),
            )
        }),
        Shape::InvoicePrefix => {
            let fits = (3..=12).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            if fits {
                return Ok(Value::Text(text.to_owned()));
            }
            Err(Refusal::invalid(name, "The invoice prefix must be 3 to 12 uppercase letters or numbers."))
        }
        Shape::Integer { min, max } => match integer(text) {
            None => Err(Refusal::integer(name, text)),
            Some(number) if number < *min => Err(Refusal::too_small(name, *min)),
            Some(number) if number > *max => Err(Refusal::too_large(name, *max)),
            Some(number) => Ok(Value::Integer(number)),
        },
        Shape::Percent => percent(text, name).map(Value::Percent),
        Shape::Moment => moment(text, name).map(Value::Moment),
        Shape::Code if longer_than(MAX_CODE) => Err(Refusal::too_long(name, text, MAX_CODE)),
        Shape::Code => Code::parse(text).map(Value::Code).ok_or_else(|| Refusal::code_letters(name, text)),
        Shape::Flag => match text {
            "true" => Ok(Value::Flag(true)),
            "false" => Ok(Value::Flag(false)),
            _ => Err(Refusal::invalid(name, format!("Invalid boolean: {text}"))),
        },
        Shape::Choice(words) => {
            let words = || words.iter().filter(|word| version.has(word.added, "")).map(|word| word.word);
            match words().find(|word| *word == text) {
                Some(word) => Ok(Value::Text(word.to_owned())),
                None => Err(Refusal::choice(name, &words().collect::<Vec<_>>())),
            }
        }
        Shape::Span => {
            let second = moment(text, name)?;
            Ok(Value::Span(Span { from: Some(second), until: Some(second.plus_millis(1000)) }))
        }
        Shape::NoSuch(noun) if is_like_a_number(text) => Err(Refusal::no_such(noun, "***", name)),
        Shape::NoSuch(noun) => Err(Refusal::no_such(noun, text, name)),
        Shape::Record(_) | Shape::TextOr(_) | Shape::Metadata | Shape::List(..) => {
            Err(Refusal::invalid(name, "Invalid object"))
        }
    }
}

fn record(fields: &'static [Field], hash: &Hash, name: &str, version: &Version) -> Result<Value, Refusal> {
    let mut read = Vec::with_capacity(fields.len());
    for field in fields {
        let name = || inside(name, field.name);
        match hash.get(field.name) {
            None if field.required => return Err(Refusal::missing_parameter(&name())),
            None => {}
            Some(Node::Text(text)) if text.is_empty() && field.required => return Err(Refusal::empty(&name())),
            Some(Node::Text(text)) if text.is_empty() => read.push((field.name, Value::Unset)),
            Some(node) => read.push((field.name, value(field.shape, node, &name(), version)?)),
        }
    }
    Ok(Value::Record(read))
}

fn list(shape: &Shape, most: usize, node: &Node, name: &str, version: &Version) -> Result<Value, Refusal> {
    let elements = node.as_list().ok_or_else(|| Refusal::invalid(name, "Invalid array"))?;
    if elements.len() > most {
        return Err(Refusal::invalid(name, format!("Invalid array: must have at most {most} elements")));
    }
    let read = elements.into_iter().enumerate().map(|(index, element)| {
        let name = inside(name, &index.to_string());
        match (shape, element) {
            (Shape::Text(_), Node::Text(text)) if text.is_empty() => Err(Refusal::empty(&name)),
            _ => value(shape, element, &name, version),
        }
    });
    read.collect::<Result<_, _>>().map(Value::List)
}

fn metadata(hash: &Hash, name: &str) -> Result<MetadataChange, Refusal> {
    let mut entries = Vec::with_capacity(hash.len());
    for (key, node) in hash.iter() {
        let Node::Text(text) = node else {
            return Err(Refusal::invalid(inside(name, key), "Invalid string: {...}"));
        };
        let characters = key.chars().count();
        if characters > MAX_KEY_CHARACTERS {
            return Err(Refusal::invalid(
                name,
                format!(
                    "Metadata keys can have up to {MAX_KEY_CHARACTERS} characters, but you passed in a key that is \
                     {characters} characters. Invalid key: {key}"
                ),
            ));
        }
        let characters = text.chars().count();
        if characters > MAX_VALUE_CHARACTERS {
            return Err(Refusal::invalid(
                inside(name, key),
                format!(
                    "Metadata values can have up to {MAX_VALUE_CHARACTERS} characters, but you passed in a value that is \
                     {characters} characters. Invalid value: {text}"
                ),
            ));
        }
        entries.push((key.to_owned(), (!text.is_empty()).then(|| text.clone())));
    }
    Ok(MetadataChange::Merge(entries))
}

fn span(hash: &Hash, name: &str) -> Result<Span, Refusal> {
    let mut span = Span::default();
    for (key, node) in hash.iter() {
        let name = inside(name, key);
        let Node::Text(text) = node else { return Err(Refusal::integer(&name, "{...}")) };
        if text.is_empty() {
            return Err(Refusal::empty(&name));
        }
        let second = moment(text, &name)?;
        let next = second.plus_millis(1000);
        let later = |one: Option<Time>, other| Some(one.map_or(other, |one| one.max(other)));
        let earlier = |one: Option<Time>, other| Some(one.map_or(other, |one| one.min(other)));
        match key {
            "gt" => span.from = later(span.from, next),
            "gte" => span.from = later(span.from, second),
            "lt" => span.until = earlier(span.until, second),
            _ => span.until = earlier(span.until, next),
        }
    }
    Ok(span)
}

fn moment(text: &str, name: &str) -> Result<Time, Refusal> {
    integer(text).and_then(Time::from_seconds).ok_or_else(|| Refusal::integer(name, text))
}

/// Digits, maybe a point and more digits: two decimal places, docs.stripe.com/api/coupons/create and the change of
/// 2018-07-27.
fn percent(text: &str, name: &str) -> Result<Percent, Refusal> {
    let decimal = || Refusal::invalid(name, format!("Invalid decimal: {text}"));
    let (sign, number) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(decimal());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 2 {
        let words = format!("Invalid decimal: {text}; must contain at maximum two decimal places.");
        return Err(Refusal::invalid(name, words));
    }
    let hundredths: i64 = format!("{whole}{fraction:0<2}").parse().unwrap_or(i64::MAX);
    Percent::of_hundredths(sign * hundredths).ok_or_else(|| {
        let bound = if sign * hundredths <= 0 { "greater than 0" } else { "less than or equal to 100" };
        Refusal::invalid(name, format!("This value must be {bound}."))
    })
}

/// Decimal digits, maybe with a minus sign; Rust's own reader also takes a plus sign, which the wire does not.
fn integer(text: &str) -> Option<i64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// One `@`, something before it, a domain with a dot inside after it, no white space: what is refused since 2018-07-27.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let labels = domain.split('.');
    !local.is_empty()
        && !domain.contains('@')
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        && labels.clone().count() >= 2
        && labels.into_iter().all(|label| !label.is_empty())
}

/// A scheme, `://` and something, without white space.
pub fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
        && !rest.is_empty()
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

/// The name of something inside something: `outer[name]`.
pub fn inside(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}[{name}]") }
}

#[cfg(test)]
mod tests {
    use super::{is_email, percent};

    #[test]
    fn a_percentage_has_two_decimal_places() {
        let read = |text| percent(text, "percent_off").ok().map(|percent| percent.hundredths());
        for (text, hundredths) in [("25", 2_500), ("25.5", 2_550), ("33.33", 3_333), ("0.01", 1), ("100.000", 10_000)] {
            assert_eq!(read(text), Some(hundredths), "{text}");
        }
        let long = "9".repeat(30);
        for bad in ["", "0", "0.00", "-1", "100.01", "33.333", "1e2", "1.", ".5", "1.5.5", "+1", "ten", "²", &long] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_have_one_at_and_a_dotted_domain() {
        for good in ["a@b.co", "jenny.rosen+x@example.com", "ü@exämple.de", "a@b.c.d"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "a", "@b.co", "a@", "a@b", "a@@b.co", "a@b@c.co", " a@b.co", "a@b.co ", "a b@c.de", "a@.co", "a@b."]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
