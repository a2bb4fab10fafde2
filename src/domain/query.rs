//! A search over customers: what it asks, and whether a customer answers it.

use super::customer::Customer;
use super::term::Term;

/// How the clauses hang together. They cannot be mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Every clause must hold.
    All,
    /// One clause must hold.
    Any,
}

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// How the clauses hang together.
    pub join: Join,
    /// At least one, at most [`MAX_CLAUSES`].
    pub clauses: Vec<Clause>,
}

/// The most clauses that one search may have.
pub const MAX_CLAUSES: usize = 10;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The condition must not hold.
    pub negated: bool,
    /// The condition.
    pub test: Test,
}

/// A condition on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The text is there and equal, without case.
    Equals(Field, String),
    /// The text is there and has this somewhere in it, without case.
    Contains(Field, String),
    /// The field has no value.
    Missing(Field),
    /// The second of creation compares so.
    Created(Comparison, i64),
}

/// A field with text in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// E-mail address.
    Email,
    /// Full name.
    Name,
    /// Phone.
    Phone,
    /// The value of a key of the free data.
    Metadata(String),
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    Greater,
    /// Greater or equal.
    AtLeast,
}

impl Query {
    /// Whether the customer answers the search.
    pub fn matches(&self, customer: &Customer) -> bool {
        match self.join {
            Join::All => self.clauses.iter().all(|clause| clause.matches(customer)),
            Join::Any => self.clauses.iter().any(|clause| clause.matches(customer)),
        }
    }

    /// Terms of which every answer has at least one, so that an index can find the candidates; `None` when the search
    /// cannot be narrowed that way.
    pub fn narrowing_terms(&self) -> Option<Vec<i64>> {
        match self.join {
            Join::All => self.clauses.iter().find_map(Clause::term).map(|term| vec![term]),
            Join::Any => self.clauses.iter().map(Clause::term).collect(),
        }
    }
}

impl Clause {
    fn matches(&self, customer: &Customer) -> bool {
        self.test.holds(customer) != self.negated
    }

    fn term(&self) -> Option<i64> {
        match (&self.test, self.negated) {
            (Test::Equals(Field::Email, word), false) => Some(Term::Email(word).digest()),
            (Test::Equals(Field::Name, word), false) => Some(Term::Name(word).digest()),
            (Test::Equals(Field::Phone, word), false) => Some(Term::Phone(word).digest()),
            (Test::Equals(Field::Metadata(key), word), false) => Some(Term::Metadata(key, word).digest()),
            (Test::Missing(Field::Metadata(key)), true) => Some(Term::MetadataKey(key).digest()),
            (Test::Equals(..) | Test::Contains(..) | Test::Missing(_) | Test::Created(..), _) => None,
        }
    }
}

impl Test {
    fn holds(&self, customer: &Customer) -> bool {
        match self {
            Test::Equals(field, word) => field.of(customer).is_some_and(|text| folded(text) == folded(word)),
            Test::Contains(field, word) => field.of(customer).is_some_and(|text| folded(text).contains(&folded(word))),
            Test::Missing(field) => field.of(customer).is_none(),
            Test::Created(comparison, second) => {
                let created = customer.created.seconds();
                match comparison {
                    Comparison::Equal => created == *second,
                    Comparison::Less => created < *second,
                    Comparison::AtMost => created <= *second,
                    Comparison::Greater => created > *second,
                    Comparison::AtLeast => created >= *second,
                }
            }
        }
    }
}

impl Field {
    fn of<'a>(&self, customer: &'a Customer) -> Option<&'a str> {
        match self {
            Field::Email => customer.email.as_deref(),
            Field::Name => customer.name.as_deref(),
            Field::Phone => customer.phone.as_deref(),
            Field::Metadata(key) => customer.metadata.get(key).map(String::as_str),
        }
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}
