//! Stripe's search language for customers, read into a [`Query`]. Says what was asked; what answers is the domain's.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::domain::query::{Clause, Comparison, Field, Join, MAX_CLAUSES, Query, Test};

/// The fewest characters that `~` searches for.
pub const MIN_SUBSTRING_CHARS: usize = 3;

/// The most characters of a field's name that an error repeats.
pub const MAX_SHOWN_FIELD_CHARS: usize = 100;

/// Why a search cannot be run. Its text is what the caller reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchError {
    /// The text is not a query.
    Unparsable {
        /// What would have fit.
        wanted: &'static str,
        /// Where, in characters, the first being 1.
        position: usize,
    },
    /// Customers cannot be searched by this field.
    UnsupportedField(String),
    /// The field cannot be compared this way.
    UnsupportedOperator {
        /// The field.
        field: &'static str,
        /// The operator.
        operator: &'static str,
    },
    /// Fewer than [`MIN_SUBSTRING_CHARS`] after `~`.
    SubstringTooShort,
    /// More than [`MAX_CLAUSES`].
    TooManyClauses,
    /// `AND` and `OR` in one query.
    MixedJoins,
}

/// Reads a query. A space between clauses is an `AND`.
pub fn parse(query: &str) -> Result<Query, SearchError> {
    let mut reader = Reader { query, at: 0 };
    reader.skip_spaces();
    let mut clauses = vec![reader.clause()?];
    let mut join = None;
    while let Some(next) = reader.join()? {
        if join.is_some_and(|join| join != next) {
            return Err(SearchError::MixedJoins);
        }
        join = Some(next);
        if clauses.len() == MAX_CLAUSES {
            return Err(SearchError::TooManyClauses);
        }
        clauses.push(reader.clause()?);
    }
    Ok(Query { join: join.unwrap_or(Join::All), clauses })
}

/// The query in the words that [`parse`] reads back.
pub fn print(query: &Query) -> String {
    let join = match query.join {
        Join::All => " AND ",
        Join::Any => " OR ",
    };
    query.clauses.iter().map(printed_clause).collect::<Vec<_>>().join(join)
}

impl Display for SearchError {
    // QUIRK: the first two sentences are Stripe's own, seen in reports of its users; the others it keeps to itself.
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SearchError::Unparsable { wanted, position } => {
                write!(out, "We were unable to parse your search query. Expected {wanted} at character {position}.")
            }
            SearchError::UnsupportedField(name) => {
                write!(out, "Field `{name}` is an unsupported search field for resource `customers`.")
            }
            SearchError::UnsupportedOperator { field, operator } => {
                write!(out, "Operator `{operator}` is not supported for the search field `{field}`.")
            }
            SearchError::SubstringTooShort => {
                write!(out, "Operator `~` needs at least {MIN_SUBSTRING_CHARS} characters to search for.")
            }
            SearchError::TooManyClauses => write!(out, "A search query may have at most {MAX_CLAUSES} clauses."),
            SearchError::MixedJoins => write!(out, "A search query may use either `AND` or `OR`, not both."),
        }
    }
}

impl Error for SearchError {}

#[derive(Clone, Copy)]
enum Operator {
    Is,
    Contains,
    Compares(Comparison),
}

/// How operators are spelled; of two that begin alike, the longer first.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::Compares(Comparison::AtLeast)),
    ("<=", Operator::Compares(Comparison::AtMost)),
    (">", Operator::Compares(Comparison::Greater)),
    ("<", Operator::Compares(Comparison::Less)),
    ("=", Operator::Compares(Comparison::Equal)),
    (":", Operator::Is),
    ("~", Operator::Contains),
];

struct Reader<'a> {
    query: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn clause(&mut self) -> Result<Clause, SearchError> {
        let negated = self.take("-");
        let name = self.word();
        let test = match name {
            "" => return Err(self.expected("a field")),
            "created" => self.created_test()?,
            "email" => self.text_test(Field::Email)?,
            "name" => self.text_test(Field::Name)?,
            "phone" => self.text_test(Field::Phone)?,
            "metadata" => {
                let key = self.metadata_key()?;
                self.text_test(Field::Metadata(key))?
            }
            unknown => return Err(self.unknown_field(unknown)),
        };
        Ok(Clause { negated, test })
    }

    fn created_test(&mut self) -> Result<Test, SearchError> {
        let (symbol, operator) = self.operator()?;
        let comparison = match operator {
            Operator::Is => Comparison::Equal,
            Operator::Compares(comparison) => comparison,
            Operator::Contains => {
                return Err(SearchError::UnsupportedOperator { field: "created", operator: symbol });
            }
        };
        Ok(Test::Created(comparison, self.number()?))
    }

    fn text_test(&mut self, field: Field) -> Result<Test, SearchError> {
        let (symbol, operator) = self.operator()?;
        match (operator, &field) {
            (Operator::Is, _) if self.take("null") => Ok(Test::Missing(field)),
            (Operator::Is, _) => Ok(Test::Equals(field, self.text("a value in quotes")?)),
            (Operator::Contains, Field::Email | Field::Name | Field::Phone) => {
                let text = self.text("a value in quotes")?;
                if text.chars().count() < MIN_SUBSTRING_CHARS {
                    return Err(SearchError::SubstringTooShort);
                }
                Ok(Test::Contains(field, text))
            }
            // QUIRK: metadata values are tokens, found whole or not at all; docs/search#query-fields
            (Operator::Contains, Field::Metadata(_)) | (Operator::Compares(_), _) => {
                Err(SearchError::UnsupportedOperator { field: name_of(&field), operator: symbol })
            }
        }
    }

    /// The operator after a field, with the spaces around it.
    fn operator(&mut self) -> Result<(&'static str, Operator), SearchError> {
        self.skip_spaces();
        let found = OPERATORS.into_iter().find(|(symbol, _)| self.take(symbol));
        let found = found.ok_or_else(|| self.expected("an operator"))?;
        self.skip_spaces();
        Ok(found)
    }

    /// `["key"]`
    fn metadata_key(&mut self) -> Result<String, SearchError> {
        if !self.take("[") {
            return Err(self.expected("a key in brackets"));
        }
        let key = self.text("a key in quotes")?;
        if !self.take("]") {
            return Err(self.expected("a closing bracket"));
        }
        Ok(key)
    }

    /// A word in the place of a field is one only when something is asked of it.
    fn unknown_field(&mut self, name: &str) -> SearchError {
        self.skip_spaces();
        if self.rest().starts_with('[') || self.operator().is_ok() {
            return SearchError::UnsupportedField(name.chars().take(MAX_SHOWN_FIELD_CHARS).collect());
        }
        self.expected("an operator")
    }

    fn number(&mut self) -> Result<i64, SearchError> {
        let wanted = self.expected("a whole number of seconds");
        let digits = match self.rest().starts_with(['"', '\'']) {
            true => self.text("a number")?,
            false => self.take_while(|letter| letter == '-' || letter.is_ascii_digit()).to_owned(),
        };
        digits.parse().ok().filter(|_| !digits.starts_with('+')).ok_or(wanted)
    }

    /// A text in single or double quotes. `\` takes the meaning from a quote or another `\`, and may not stand before
    /// anything else.
    fn text(&mut self, wanted: &'static str) -> Result<String, SearchError> {
        let quote = self.take_one_of(&['"', '\'']).ok_or_else(|| self.expected(wanted))?;
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.expected("a closing quote")),
                Some('\\') => {
                    let letter = self.take_one_of(&['"', '\'', '\\']);
                    text.push(letter.ok_or_else(|| self.expected("a quote or a second `\\`"))?);
                }
                Some(letter) if letter == quote => return Ok(text),
                Some(letter) => text.push(letter),
            }
        }
    }

    /// What joins the clause that was read to the next; `None` at the end.
    fn join(&mut self) -> Result<Option<Join>, SearchError> {
        let spaced = self.skip_spaces();
        if self.rest().is_empty() {
            return Ok(None);
        }
        if !spaced {
            return Err(self.expected("a space"));
        }
        let before = self.at;
        let word = self.word();
        let join = if word.eq_ignore_ascii_case("and") {
            Some(Join::All)
        } else if word.eq_ignore_ascii_case("or") {
            Some(Join::Any)
        } else {
            None
        };
        // Only a word that stands alone joins: `or:"x"` would be a field.
        if join.is_some() && (self.skip_spaces() || self.rest().is_empty()) {
            return Ok(join);
        }
        self.at = before;
        Ok(Some(Join::All))
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'))
    }

    fn skip_spaces(&mut self) -> bool {
        !self.take_while(char::is_whitespace).is_empty()
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|letter| !fits(letter)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn take(&mut self, wanted: &str) -> bool {
        let there = self.rest().starts_with(wanted);
        if there {
            self.at += wanted.len();
        }
        there
    }

    fn take_one_of(&mut self, wanted: &[char]) -> Option<char> {
        let letter = self.rest().chars().next().filter(|letter| wanted.contains(letter))?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn rest(&self) -> &'a str {
        &self.query[self.at..]
    }

    fn expected(&self, wanted: &'static str) -> SearchError {
        SearchError::Unparsable { wanted, position: self.query[..self.at].chars().count() + 1 }
    }
}

fn name_of(field: &Field) -> &'static str {
    match field {
        Field::Email => "email",
        Field::Name => "name",
        Field::Phone => "phone",
        Field::Metadata(_) => "metadata",
    }
}

fn printed_clause(clause: &Clause) -> String {
    let test = match &clause.test {
        Test::Equals(field, text) => format!("{}:{}", printed_field(field), quoted(text)),
        Test::Contains(field, text) => format!("{}~{}", printed_field(field), quoted(text)),
        Test::Missing(field) => format!("{}:null", printed_field(field)),
        Test::Created(comparison, second) => format!("created{}{second}", symbol_of(*comparison)),
    };
    if clause.negated { format!("-{test}") } else { test }
}

fn printed_field(field: &Field) -> String {
    match field {
        Field::Metadata(key) => format!("metadata[{}]", quoted(key)),
        Field::Email | Field::Name | Field::Phone => name_of(field).to_owned(),
    }
}

fn symbol_of(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => ":",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
