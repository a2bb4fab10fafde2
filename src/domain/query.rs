//! A search over customers: what it asks, and whether a customer answers it.

use super::customer::Customer;
use super::term::{Term, letters_without_case};

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
    letters_without_case(text).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::CustomerId;
    use crate::domain::time::Time;

    const CREATED_SECOND: i64 = 1_700_000_000;

    fn customer() -> Customer {
        let now = Time(CREATED_SECOND * 1000 + 999);
        let mut customer = Customer::blank(CustomerId("cus_1".into()), "A1B2C3D4".into(), now);
        customer.email = Some("Jenny@Example.com".into());
        customer.name = Some("Jenny ΟΔΟΣ Ärger".into());
        customer.metadata.insert("Plan".into(), "Gold".into());
        customer
    }

    fn is(field: Field, word: &str) -> Test {
        Test::Equals(field, word.into())
    }

    fn has(field: Field, word: &str) -> Test {
        Test::Contains(field, word.into())
    }

    fn key(key: &str) -> Field {
        Field::Metadata(key.into())
    }

    #[test]
    fn a_test_holds_or_its_negation_does() {
        let cases = [
            ("a text is equal without case", is(Field::Email, "jENNY@example.COM"), true),
            ("an equal text is whole", is(Field::Email, "jenny@example"), false),
            ("fields are not mixed up", is(Field::Name, "jenny@example.com"), false),
            ("what is not there is not equal", is(Field::Phone, "1"), false),
            ("what is not there is not even empty", is(Field::Phone, ""), false),
            ("a value of the metadata is equal without case", is(key("Plan"), "gOLD"), true),
            ("a key of the metadata has its case", is(key("plan"), "Gold"), false),
            ("a part is found without case", has(Field::Email, "@EXAMPLE"), true),
            ("a part has no gaps", has(Field::Email, "jenny.com"), false),
            ("letters beyond ASCII have no case either", has(Field::Name, "äRG"), true),
            ("a sigma is the same at the end", has(Field::Name, "οδος"), true),
            ("a sigma is the same in the middle", has(Field::Name, "οδοσ"), true),
            ("what is not there has no parts", has(Field::Phone, "123"), false),
            ("a text that is there is not missing", Test::Missing(Field::Email), false),
            ("a text that is not there is missing", Test::Missing(Field::Phone), true),
            ("a key that is there is not missing", Test::Missing(key("Plan")), false),
            ("a key that is not there is missing", Test::Missing(key("plan")), true),
            ("creation counts in whole seconds", Test::Created(Comparison::Equal, CREATED_SECOND), true),
            ("another second is not equal", Test::Created(Comparison::Equal, CREATED_SECOND + 1), false),
            ("a second is not less than itself", Test::Created(Comparison::Less, CREATED_SECOND), false),
            ("less", Test::Created(Comparison::Less, CREATED_SECOND + 1), true),
            ("at most", Test::Created(Comparison::AtMost, CREATED_SECOND), true),
            ("not at most", Test::Created(Comparison::AtMost, CREATED_SECOND - 1), false),
            ("a second is not greater than itself", Test::Created(Comparison::Greater, CREATED_SECOND), false),
            ("greater", Test::Created(Comparison::Greater, CREATED_SECOND - 1), true),
            ("at least", Test::Created(Comparison::AtLeast, CREATED_SECOND), true),
            ("not at least", Test::Created(Comparison::AtLeast, CREATED_SECOND + 1), false),
        ];
        for (sentence, test, wanted) in cases {
            for negated in [false, true] {
                let query = Query { join: Join::All, clauses: vec![Clause { negated, test: test.clone() }] };
                assert_eq!(query.matches(&customer()), wanted != negated, "{sentence}, negated: {negated}");
            }
        }
    }

    #[test]
    fn all_needs_every_clause_and_any_needs_one() {
        let cases = [
            (Join::All, [true, true], true),
            (Join::All, [true, false], false),
            (Join::All, [false, false], false),
            (Join::Any, [true, true], true),
            (Join::Any, [false, true], true),
            (Join::Any, [false, false], false),
        ];
        for (join, holds, wanted) in cases {
            let clauses = holds.map(|holds| Clause { negated: !holds, test: is(key("Plan"), "gold") }).to_vec();
            assert_eq!(Query { join, clauses }.matches(&customer()), wanted, "{join:?} of {holds:?}");
        }
    }

    #[test]
    fn only_what_every_answer_has_narrows() {
        let equal = Clause { negated: false, test: is(Field::Email, "a") };
        let unequal = Clause { negated: true, test: is(Field::Email, "a") };
        let narrows = |join, clauses: [&Clause; 2]| {
            let clauses = clauses.into_iter().cloned().collect();
            Query { join, clauses }.narrowing_terms().map(|terms| terms.len())
        };
        assert_eq!(narrows(Join::All, [&unequal, &equal]), Some(1));
        assert_eq!(narrows(Join::All, [&unequal, &unequal]), None);
        assert_eq!(narrows(Join::Any, [&equal, &equal]), Some(2));
        assert_eq!(narrows(Join::Any, [&equal, &unequal]), None);
    }

    /// Few words, so that customers answer queries, in letters whose case is not simple.
    fn word() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[aAσςΣ]{0,2}", 2 => "[kK\u{212a}İiıIßẞ]{1,2}", 1 => any::<String>()]
    }

    fn any_customer() -> impl Strategy<Value = Customer> {
        let text = || option::of(word());
        (text(), text(), text(), btree_map(word(), word(), 0..4)).prop_map(|(email, name, phone, metadata)| Customer {
            email,
            name,
            phone,
            metadata,
            ..customer()
        })
    }

    fn any_query() -> impl Strategy<Value = Query> {
        let field =
            || prop_oneof![Just(Field::Email), Just(Field::Name), Just(Field::Phone), word().prop_map(Field::Metadata)];
        let test = prop_oneof![
            4 => (field(), word()).prop_map(|(field, word)| Test::Equals(field, word)),
            1 => (field(), word()).prop_map(|(field, word)| Test::Contains(field, word)),
            2 => field().prop_map(Test::Missing),
            1 => Just(Test::Created(Comparison::AtLeast, CREATED_SECOND)),
        ];
        let clause = (any::<bool>(), test).prop_map(|(negated, test)| Clause { negated, test });
        (prop_oneof![Just(Join::All), Just(Join::Any)], vec(clause, 1..4))
            .prop_map(|(join, clauses)| Query { join, clauses })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_answer_has_a_narrowing_term(customer in any_customer(), query in any_query()) {
            if let (true, Some(terms)) = (query.matches(&customer), query.narrowing_terms()) {
                let digests = customer.term_digests();
                prop_assert!(terms.iter().any(|term| digests.contains(term)));
            }
        }

        #[test]
        fn a_text_contains_its_parts_and_itself_in_any_case(before: String, part: String, after: String) {
            let mut customer = customer();
            customer.name = Some(format!("{before}{part}{after}"));
            prop_assert!(has(Field::Name, &part).holds(&customer));
            prop_assert!(has(Field::Name, &part.to_lowercase()).holds(&customer));
            customer.name = Some(part.clone());
            prop_assert!(is(Field::Name, &part).holds(&customer));
        }

        #[test]
        fn ascii_words_fold_as_they_always_did(word in "[ -~]{0,20}") {
            prop_assert_eq!(folded(&word), word.to_ascii_lowercase());
        }
    }
}
