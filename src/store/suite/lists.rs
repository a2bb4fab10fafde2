//! Pages, spans, filters and searches.

use super::*;

/// Seven customers of which several were made at the same moment.
pub fn crowd() -> Vec<Customer> {
    [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 3), ("f", 3), ("g", 4)].map(|(id, at)| customer(id, at)).into()
}

pub fn pages_hold_each_customer_once_in_both_directions(bench: &Bench) {
    let store = &*bench.store;
    let crowd = crowd();
    put(store, HERE, &crowd);
    for limit in 1..=8 {
        let mut down = Vec::new();
        let mut cursor = Cursor::Newest;
        loop {
            let page = list(store, &CustomerPage { cursor, limit, ..CustomerPage::default() });
            assert!(page.items.len() == limit || !page.has_more);
            down.extend(page.items.clone());
            if !page.has_more {
                break;
            }
            cursor = Cursor::OlderThan(place(page.items.last().unwrap()));
        }
        let mut newest_first = crowd.clone();
        newest_first.reverse();
        assert_eq!(down, newest_first, "down by {limit}");

        let mut up = vec![crowd[0].clone()];
        loop {
            let cursor = Cursor::NewerThan(place(up.last().unwrap()));
            let page = list(store, &CustomerPage { cursor, limit, ..CustomerPage::default() });
            up.extend(page.items.iter().rev().cloned());
            if !page.has_more {
                break;
            }
        }
        assert_eq!(up, crowd, "up by {limit}");
    }
}

pub fn a_page_nearest_to_its_cursor_comes_first(bench: &Bench) {
    let store = &*bench.store;
    let crowd = crowd();
    put(store, HERE, &crowd);
    let newer =
        |of: &Customer| CustomerPage { cursor: Cursor::NewerThan(place(of)), limit: 2, ..CustomerPage::default() };
    let page = list(store, &newer(&crowd[2]));
    assert_eq!((ids(&page), page.has_more), (vec!["e", "d"], true));
    let page = list(store, &newer(&crowd[4]));
    assert_eq!((ids(&page), page.has_more), (vec!["g", "f"], false));
    assert_eq!(list(store, &newer(&crowd[6])), Page { items: vec![], has_more: false });
}

pub fn lists_keep_to_a_span(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &crowd());
    let within = |from: Option<i64>, until: Option<i64>, cursor: Cursor<Place>| CustomerPage {
        created: Span { from: from.map(Time), until: until.map(Time) },
        cursor,
        limit: 9,
        ..CustomerPage::default()
    };
    let at = |created: i64, id: &str| Place { created: Time(created), id: id.into() };
    assert_eq!(ids(&list(store, &within(Some(2), Some(3), Cursor::Newest))), ["d", "c", "b"]);
    assert_eq!(ids(&list(store, &within(Some(3), None, Cursor::Newest))), ["g", "f", "e"]);
    assert_eq!(ids(&list(store, &within(None, Some(2), Cursor::Newest))), ["a"]);
    assert_eq!(ids(&list(store, &within(Some(2), Some(4), Cursor::OlderThan(at(3, "f"))))), ["e", "d", "c", "b"]);
    assert_eq!(ids(&list(store, &within(Some(2), Some(4), Cursor::NewerThan(at(1, "a"))))), ["f", "e", "d", "c", "b"]);
    assert_eq!(ids(&list(store, &within(Some(4), Some(2), Cursor::Newest))), [""; 0]);
}

pub fn lists_by_email_are_exact(bench: &Bench) {
    let store = &*bench.store;
    let mut crowd = crowd();
    for (customer, email) in crowd.iter_mut().zip(["j@x.com", "J@x.com", "j@x.com", "j@x.co", "j@x.com", "", "j@x.com"])
    {
        customer.email = (!email.is_empty()).then(|| email.to_owned());
    }
    put(store, HERE, &crowd);
    let of = |cursor, limit| CustomerPage { email: Some("j@x.com".into()), cursor, limit, ..CustomerPage::default() };
    let page = list(store, &of(Cursor::Newest, 3));
    assert_eq!((ids(&page), page.has_more), (vec!["g", "e", "c"], true));
    let page = list(store, &of(Cursor::OlderThan(place(&crowd[2])), 3));
    assert_eq!((ids(&page), page.has_more), (vec!["a"], false));
    let page = list(store, &of(Cursor::NewerThan(place(&crowd[0])), 2));
    assert_eq!((ids(&page), page.has_more), (vec!["e", "c"], true));
    let narrowed =
        CustomerPage { created: Span { from: Some(Time(2)), until: Some(Time(4)) }, ..of(Cursor::Newest, 9) };
    assert_eq!(ids(&list(store, &narrowed)), ["e", "c"]);
}

pub fn deleted_customers_are_not_listed(bench: &Bench) {
    let store = &*bench.store;
    let crowd = crowd();
    put(store, HERE, &crowd);
    let tombstone = crowd[3].tombstone(Time(9));
    replace(store, &crowd[3], &tombstone);
    let all = list(store, &CustomerPage { limit: 9, ..CustomerPage::default() });
    assert_eq!(ids(&all), ["g", "f", "e", "c", "b", "a"]);
    let by_email = CustomerPage { email: crowd[3].email.clone(), limit: 9, ..CustomerPage::default() };
    assert_eq!(ids(&list(store, &by_email)), [""; 0]);
    assert_eq!(fetch(store, HERE, "d"), Some(tombstone));
    let anyone =
        query(Join::All, &[(true, Test::Missing(Field::Metadata("x".into()))), (false, Test::Missing(Field::Name))]);
    assert_eq!(look(store, |read| read.count(HERE, &anyone, 99)), 0);
}

// --- Checks: searches ---

/// Forty customers whose words overlap.
fn town() -> Vec<Customer> {
    (0..40)
        .map(|number: i64| {
            let mut citizen = customer(&format!("c{number:02}"), 1_000 * (number / 3));
            citizen.name = (number % 4 != 0).then(|| ["Ann", "ANN", "Änne", "Bob"][(number % 4) as usize].to_owned());
            citizen.phone = (number % 5 == 0).then(|| "+1555".to_owned());
            citizen.metadata =
                [("tier".to_owned(), ["gold", "Gold", "silver"][(number % 3) as usize].to_owned())].into();
            if number % 7 == 0 {
                citizen.metadata.insert("vip".into(), String::new());
            }
            citizen
        })
        .collect()
}

pub fn searches_by_a_term_find_what_a_scan_finds(bench: &Bench) {
    let store = &*bench.store;
    let mut town = town();
    put(store, HERE, &town);
    put(store, THERE, &town);
    let tombstone = town[8].tombstone(Time(99_000));
    replace(store, &town[8], &tombstone);
    town.remove(8);
    town.reverse();

    let equals = |field: Field, word: &str| Test::Equals(field, word.into());
    let tier = |word: &str| equals(Field::Metadata("tier".into()), word);
    let queries = [
        query(Join::All, &[(false, equals(Field::Name, "ann"))]),
        query(Join::All, &[(true, equals(Field::Name, "ann"))]),
        query(Join::All, &[(false, equals(Field::Name, "änne")), (false, tier("GOLD"))]),
        query(Join::Any, &[(false, equals(Field::Name, "bob")), (false, equals(Field::Phone, "+1555"))]),
        query(Join::Any, &[(false, tier("gold")), (false, tier("gold")), (false, tier("silver"))]),
        query(Join::Any, &[(false, tier("gold")), (false, Test::Contains(Field::Email, "C0".into()))]),
        query(Join::All, &[(true, Test::Missing(Field::Metadata("vip".into())))]),
        query(Join::All, &[(false, Test::Missing(Field::Phone)), (false, Test::Contains(Field::Name, "n".into()))]),
        query(
            Join::All,
            &[(false, Test::Created(Comparison::AtLeast, 3)), (false, Test::Created(Comparison::Less, 7))],
        ),
        query(
            Join::All,
            &[(false, Test::Created(Comparison::Greater, 3)), (false, Test::Created(Comparison::AtMost, 7))],
        ),
        query(Join::All, &[(false, Test::Created(Comparison::Equal, 4)), (false, tier("silver"))]),
        query(Join::All, &[(true, Test::Created(Comparison::Equal, 4)), (false, tier("silver"))]),
        query(Join::Any, &[(false, Test::Created(Comparison::Equal, 4)), (false, tier("silver"))]),
        query(Join::All, &[(false, equals(Field::Email, "NOBODY@example.com"))]),
    ];
    for query in &queries {
        let expected: Vec<Customer> = town.iter().filter(|customer| query.matches(customer)).cloned().collect();
        let found = look(store, |read| read.search(HERE, query, None, 99));
        assert_eq!(found, Page { items: expected.clone(), has_more: false }, "{query:?}");
        assert_eq!(look(store, |read| read.count(HERE, query, 99)), expected.len(), "{query:?}");
    }
}

pub fn searches_go_on_behind_a_place(bench: &Bench) {
    let store = &*bench.store;
    let mut town = town();
    put(store, HERE, &town);
    town.reverse();
    let word = |word: &str| (false, Test::Equals(Field::Name, word.into()));
    let scan = query(Join::All, &[(false, Test::Contains(Field::Name, "n".into()))]);
    for query in [query(Join::Any, &[word("ann"), word("bob")]), query(Join::All, &[word("ann")]), scan] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = look(store, |read| read.search(HERE, &query, after.as_ref(), 3));
            found.extend(page.items);
            if !page.has_more {
                break;
            }
            after = found.last().map(place);
        }
        let expected: Vec<Customer> = town.iter().filter(|customer| query.matches(customer)).cloned().collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

pub fn counts_stop_at_their_limit(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &town());
    let everyone = query(Join::All, &[(true, Test::Missing(Field::Email))]);
    for (most, counted) in [(0, 0), (1, 1), (39, 39), (40, 40), (41, 40)] {
        assert_eq!(look(store, |read| read.count(HERE, &everyone, most)), counted);
    }
}
