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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_asked_is_what_is_read() {
        let ten = ["-email:null"; MAX_CLAUSES].join(" AND ");
        let cases: &[(&str, &str, &str)] = &[
            ("an exact text", r#"email:"jenny@example.com""#, r#"email:"jenny@example.com""#),
            ("single quotes", "name:'Jenny Rosen'", r#"name:"Jenny Rosen""#),
            ("the other quote needs no escape", r#"name:'a "b"' phone:"it's""#, r#"name:"a \"b\"" AND phone:"it's""#),
            ("escaped quotes and backslashes", r#"name:"a\"b\'c\\d""#, r#"name:"a\"b'c\\d""#),
            ("an empty text", r#"name:"""#, r#"name:"""#),
            ("part of a text", r#"email~"@example""#, r#"email~"@example""#),
            ("three characters are enough", "name~'äöü'", r#"name~"äöü""#),
            ("a key of the metadata", r#"metadata["order id"]:"6735""#, r#"metadata["order id"]:"6735""#),
            ("a key in single quotes", "metadata['a\\'b']:'6735'", r#"metadata["a'b"]:"6735""#),
            ("not", r#"-name:"x" -metadata["k"]:"v""#, r#"-name:"x" AND -metadata["k"]:"v""#),
            ("no value", "email:null", "email:null"),
            ("some value", r#"-metadata["k"]:null"#, r#"-metadata["k"]:null"#),
            ("null in quotes is a text", r#"name:"null""#, r#"name:"null""#),
            (
                "the time of creation",
                "created>1 created>=2 created<3 created<=4",
                "created>1 AND created>=2 AND created<3 AND created<=4",
            ),
            ("two ways to say equal", "created:5 created=6", "created:5 AND created:6"),
            ("numbers may have quotes", r#"created>"5" created<'-6'"#, "created>5 AND created<-6"),
            ("numbers before 1970", "-created>-5", "-created>-5"),
            ("and", "name:'a' AND phone:'b'", r#"name:"a" AND phone:"b""#),
            ("or", "name:'a' OR phone:'b' OR email:null", r#"name:"a" OR phone:"b" OR email:null"#),
            ("joins in any case", "name:'a' or phone:'b'", r#"name:"a" OR phone:"b""#),
            (
                "a space and an AND are the same",
                "name:'a' phone:'b' AND email:'c'",
                r#"name:"a" AND phone:"b" AND email:"c""#,
            ),
            ("joins in a text are text", "name:'a OR b'", r#"name:"a OR b""#),
            ("spaces around everything", "  name : 'a'\t\n created > 5  ", r#"name:"a" AND created>5"#),
            ("ten clauses", &ten, &ten),
        ];
        for (sentence, query, wanted) in cases {
            let read = parse(query).unwrap_or_else(|error| panic!("{sentence}: {query}: {error}"));
            assert_eq!(print(&read), *wanted, "{sentence}: {query}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_hint() {
        let cases: &[(&str, &str, &str)] = &[
            ("nothing", "", "Expected a field at character 1."),
            ("only spaces", "  ", "Expected a field at character 3."),
            ("a word alone", "jenny", "Expected an operator at character 6."),
            ("two words", "jenny rosen", "Expected an operator at character 7."),
            ("a text alone", "'jenny'", "Expected a field at character 1."),
            ("parentheses", "(name:'a')", "Expected a field at character 1."),
            ("no value", "name:", "Expected a value in quotes at character 6."),
            ("a value without quotes", "name:jenny", "Expected a value in quotes at character 6."),
            ("half a value", "name~null", "Expected a value in quotes at character 6."),
            ("characters are counted, not bytes", "name:'ä' name:x", "Expected a value in quotes at character 15."),
            ("an open text", "name:'jenny", "Expected a closing quote at character 12."),
            ("a text closed by the other quote", "name:'jenny\"", "Expected a closing quote at character 13."),
            ("an unknown escape", r"name:'a\n'", r"Expected a quote or a second `\` at character 9."),
            ("an escape of nothing", r"name:'a\", r"Expected a quote or a second `\` at character 9."),
            ("null with a tail", "name:nullable", "Expected a space at character 10."),
            ("clauses without a space", "name:'a'phone:'b'", "Expected a space at character 9."),
            ("a minus that stands apart", "- name:'a'", "Expected a field at character 2."),
            ("two minuses", "--name:'a'", "Expected a field at character 2."),
            ("a join at the start", "AND name:'a'", "Expected an operator at character 5."),
            ("a join at the end", "name:'a' AND", "Expected a field at character 13."),
            ("two joins", "name:'a' AND OR phone:'b'", "Expected an operator at character 17."),
            ("an unknown operator", "name!='a'", "Expected an operator at character 5."),
            ("metadata without a key", "metadata:'a'", "Expected a key in brackets at character 9."),
            ("a key without quotes", "metadata[a]:'a'", "Expected a key in quotes at character 10."),
            ("an open key", "metadata['a':'a'", "Expected a closing bracket at character 13."),
            ("a key alone", "metadata['a']", "Expected an operator at character 14."),
            ("a key of a text", "email['a']:'a'", "Expected an operator at character 6."),
            ("a text for a number", "created>'soon'", "Expected a whole number of seconds at character 9."),
            ("no number", "created>", "Expected a whole number of seconds at character 9."),
            ("creation is never missing", "created:null", "Expected a whole number of seconds at character 9."),
            ("a plus", "created>'+5'", "Expected a whole number of seconds at character 9."),
            ("minuses in a number", "created>5-5", "Expected a whole number of seconds at character 9."),
            (
                "a number beyond 64 bits",
                "created>9223372036854775808",
                "Expected a whole number of seconds at character 9.",
            ),
            ("a fraction", "created>1.5", "Expected a space at character 10."),
        ];
        for (sentence, query, hint) in cases {
            let told = parse(query).map_err(|error| error.to_string());
            assert_eq!(told, Err(format!("We were unable to parse your search query. {hint}")), "{sentence}: {query}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_by_name() {
        let eleven = ["email:null"; 11].join(" ");
        let cases: &[(&str, &str, &str)] = &[
            ("an unknown field", "foo:'x'", "Field `foo` is an unsupported search field for resource `customers`."),
            (
                "a field with an operator of no use",
                "foo>5",
                "Field `foo` is an unsupported search field for resource `customers`.",
            ),
            (
                "a field with a key",
                "foo['a']:'x'",
                "Field `foo` is an unsupported search field for resource `customers`.",
            ),
            (
                "a path",
                "address.city:'x'",
                "Field `address.city` is an unsupported search field for resource `customers`.",
            ),
            (
                "fields have one case",
                "Email:'x'",
                "Field `Email` is an unsupported search field for resource `customers`.",
            ),
            (
                "a field named like a join",
                "name:'x' or:'y'",
                "Field `or` is an unsupported search field for resource `customers`.",
            ),
            ("part of a number", "created~'123'", "Operator `~` is not supported for the search field `created`."),
            (
                "part of a token",
                "metadata['a']~'123'",
                "Operator `~` is not supported for the search field `metadata`.",
            ),
            ("order of texts", "name>='123'", "Operator `>=` is not supported for the search field `name`."),
            ("numeric equality of texts", "phone='123'", "Operator `=` is not supported for the search field `phone`."),
            ("two characters", "name~'äö'", "Operator `~` needs at least 3 characters to search for."),
            ("eleven clauses", &eleven, "A search query may have at most 10 clauses."),
            (
                "and, then or",
                "name:'a' AND name:'b' OR name:'c'",
                "A search query may use either `AND` or `OR`, not both.",
            ),
            (
                "or, then and",
                "name:'a' OR name:'b' AND name:'c'",
                "A search query may use either `AND` or `OR`, not both.",
            ),
            (
                "a space, then or",
                "name:'a' name:'b' OR name:'c'",
                "A search query may use either `AND` or `OR`, not both.",
            ),
        ];
        for (sentence, query, wanted) in cases {
            assert_eq!(parse(query).map_err(|error| error.to_string()), Err((*wanted).into()), "{sentence}: {query}");
        }
    }

    fn any_query() -> impl Strategy<Value = Query> {
        let join = prop_oneof![Just(Join::All), Just(Join::Any)];
        (join, vec(any_clause(), 1..=MAX_CLAUSES)).prop_map(|(join, clauses)| match clauses.len() {
            1 => Query { join: Join::All, clauses },
            _ => Query { join, clauses },
        })
    }

    fn any_clause() -> impl Strategy<Value = Clause> {
        let plain = || prop_oneof![Just(Field::Email), Just(Field::Name), Just(Field::Phone)];
        let field = || prop_oneof![plain(), any::<String>().prop_map(Field::Metadata)];
        let comparison = prop_oneof![
            Just(Comparison::Equal),
            Just(Comparison::Less),
            Just(Comparison::AtMost),
            Just(Comparison::Greater),
            Just(Comparison::AtLeast),
        ];
        let test = prop_oneof![
            (field(), any::<String>()).prop_map(|(field, text)| Test::Equals(field, text)),
            (plain(), "(?s).{3,9}").prop_map(|(field, text)| Test::Contains(field, text)),
            field().prop_map(Test::Missing),
            (comparison, any::<i64>()).prop_map(|(comparison, second)| Test::Created(comparison, second)),
        ];
        (any::<bool>(), test).prop_map(|(negated, test)| Clause { negated, test })
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text);
        }

        #[test]
        fn no_telling_text_makes_it_panic(text in "((-|name|created|metadata|null|AND|or|[:~<>=\"'\\\\ \\[\\]5]){0,20})") {
            if let Ok(query) = parse(&text) {
                prop_assert_eq!(parse(&print(&query)), Ok(query));
            }
        }

        #[test]
        fn what_is_printed_is_read_back(query in any_query()) {
            prop_assert_eq!(parse(&print(&query)), Ok(query));
        }
    }
}
