//! Pages of a list with a filter, a sort key and a direction, behind an item that the caller names. By creation a page is
//! found through the list's index; by another key in one pass over the list that keeps no more than a page.

use std::collections::BTreeMap;

use super::Done;
use super::objects;
use crate::domain::account::Space;
use crate::domain::facts::Facts;
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Cursor, ObjectPage, Page, Place, Span};
use crate::domain::rental_problem::RentalProblem;
use crate::domain::time::Time;
use crate::store::{Kept, Read};

/// The most rows of a list that are looked at together, where some are left out.
const MAX_AT_ONCE: usize = 16_384;
/// How many rows are looked at first, where the whole list is.
const FIRST_BITE: usize = 1_024;

/// What an item is sorted by. Items of one list have keys of one sort.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// A number: an amount, a moment.
    Number(i64),
    /// A text, compared letter by letter.
    Text(String),
}

/// By what a list is sorted.
#[derive(Debug)]
pub enum Sort<T> {
    /// By creation.
    Created,
    /// By that; what is equal, by creation.
    By(fn(&T) -> SortKey),
}

impl<T> Clone for Sort<T> {
    fn clone(&self) -> Sort<T> {
        *self
    }
}

impl<T> Copy for Sort<T> {}

/// Which part of a list to show.
#[derive(Clone, Debug)]
pub struct Paging<T> {
    /// By what it is sorted.
    pub sort: Sort<T>,
    /// Whether the smallest or oldest comes first.
    pub ascending: bool,
    /// The id of the item behind which the page begins. The item need not be let through by the filter.
    pub after: Option<String>,
    /// How many items at most.
    pub limit: usize,
}

/// A list of items, whatever it is made of.
pub(super) trait Source {
    /// What a look at the list gives.
    type Row;
    /// What is shown.
    type Item;

    /// Some of the list by creation, newest first.
    fn rows(&mut self, read: &mut dyn Read, cursor: Cursor<Place>, limit: usize) -> Kept<Page<Self::Row>>;
    /// Where a row is by creation.
    fn row_place(row: &Self::Row) -> Place;
    /// What is shown of the rows, in their order, without what the filter leaves out.
    fn shown(&mut self, read: &mut dyn Read, rows: Vec<Self::Row>) -> Kept<Vec<Self::Item>>;
    /// Where an item is by creation.
    fn place(item: &Self::Item) -> Place;
    /// Where the item of that id is, whether the filter lets it through or not.
    fn anchor(&mut self, read: &mut dyn Read, id: &str) -> Kept<Option<Anchor<Self::Item>>>;
}

/// An item that a caller names as the last that it has seen.
pub(super) enum Anchor<T> {
    /// As it is now.
    Whole(T),
    /// Of one that is gone there is only this left.
    Place(Place),
}

/// A page, in the order that was asked for. An id that no item has is refused, and so is that of one that is gone where
/// the list is sorted by what went with it.
pub(super) fn page<S: Source>(read: &mut dyn Read, source: &mut S, paging: &Paging<S::Item>) -> Done<Page<S::Item>> {
    let anchor = match &paging.after {
        None => None,
        Some(id) => {
            let anchor = source.anchor(read, id)?;
            Some(anchor.ok_or_else(|| RentalProblem::UnknownCursor(id.clone()))?)
        }
    };
    match paging.sort {
        Sort::Created => {
            let after = anchor.map(|anchor| match anchor {
                Anchor::Whole(item) => S::place(&item),
                Anchor::Place(place) => place,
            });
            Ok(by_creation(read, source, paging, after)?)
        }
        Sort::By(key) => {
            let after = match (anchor, &paging.after) {
                (None, _) => None,
                (Some(Anchor::Whole(item)), _) => Some((key(&item), S::place(&item))),
                (Some(Anchor::Place(_)), id) => {
                    return Err(RentalProblem::UnknownCursor(id.clone().unwrap_or_default()).into());
                }
            };
            Ok(by_key(read, source, paging, key, after)?)
        }
    }
}

fn by_creation<S: Source>(
    read: &mut dyn Read,
    source: &mut S,
    paging: &Paging<S::Item>,
    after: Option<Place>,
) -> Kept<Page<S::Item>> {
    let cursor = match (after, paging.ascending) {
        (None, false) => Cursor::Newest,
        (None, true) => oldest(),
        (Some(place), false) => Cursor::OlderThan(place),
        (Some(place), true) => Cursor::NewerThan(place),
    };
    let mut items = Vec::new();
    // One more than asked for shows whether there are more.
    walk(read, source, cursor, paging.limit + 1, |shown| {
        items.extend(shown);
        items.len() <= paging.limit
    })?;
    let has_more = items.len() > paging.limit;
    items.truncate(paging.limit);
    Ok(Page { items, has_more })
}

fn by_key<S: Source>(
    read: &mut dyn Read,
    source: &mut S,
    paging: &Paging<S::Item>,
    key: fn(&S::Item) -> SortKey,
    after: Option<(SortKey, Place)>,
) -> Kept<Page<S::Item>> {
    let mut best = BTreeMap::new();
    walk(read, source, Cursor::Newest, FIRST_BITE, |shown| {
        for item in shown {
            let at = (key(&item), S::place(&item));
            let comes = after.as_ref().is_none_or(|after| if paging.ascending { at > *after } else { at < *after });
            if !comes {
                continue;
            }
            best.insert(at, item);
            if best.len() > paging.limit + 1 {
                // The one that comes last.
                let _ = if paging.ascending { best.pop_last() } else { best.pop_first() };
            }
        }
        true
    })?;
    let mut items: Vec<S::Item> = best.into_values().collect();
    if !paging.ascending {
        items.reverse();
    }
    let has_more = items.len() > paging.limit;
    items.truncate(paging.limit);
    Ok(Page { items, has_more })
}

/// Goes along a list from the cursor on, away from it, a few rows at a time, until `take` has enough or it ends.
fn walk<S: Source>(
    read: &mut dyn Read,
    source: &mut S,
    mut cursor: Cursor<Place>,
    first: usize,
    mut take: impl FnMut(Vec<S::Item>) -> bool,
) -> Kept<()> {
    let to_newer = matches!(cursor, Cursor::NewerThan(_));
    // Where most are left out it takes a few larger bites: a store that fetches for a whole run begins anew after each.
    let mut at_once = first;
    loop {
        let Page { mut items, has_more } = source.rows(read, cursor, at_once)?;
        if to_newer {
            items.reverse();
        }
        let end = items.last().map(S::row_place);
        let goes_on = take(source.shown(read, items)?);
        match end {
            Some(end) if has_more && goes_on => {
                cursor = if to_newer { Cursor::NewerThan(end) } else { Cursor::OlderThan(end) };
                at_once = (at_once * 4).min(MAX_AT_ONCE);
            }
            Some(_) | None => return Ok(()),
        }
    }
}

/// Before everything.
fn oldest() -> Cursor<Place> {
    Cursor::NewerThan(Place { created: Time(i64::MIN), id: String::new() })
}

/// Objects of one kind on one list. They are named by what they are kept by.
pub(super) struct Objects<F> {
    /// Whose.
    pub space: Space,
    /// The list.
    pub list: List,
    /// What is on it.
    pub kind: ObjectKind,
    /// Which of them to show.
    pub keep: F,
}

impl<F> Objects<F> {
    /// A page of those.
    pub fn page<T>(self, read: &mut dyn Read, paging: &Paging<T>) -> Done<Page<T>>
    where
        T: Listed,
        F: Fn(&T) -> bool,
    {
        let Paging { sort, ascending, after, limit } = paging;
        let mut source = Typed { objects: self, of: std::marker::PhantomData };
        page(read, &mut source, &Paging { sort: *sort, ascending: *ascending, after: after.clone(), limit: *limit })
    }
}

/// What can be listed.
pub(super) trait Listed: TryFrom<Facts> {
    /// Where it is by creation.
    fn place(&self) -> Place;
}

struct Typed<T, F> {
    objects: Objects<F>,
    of: std::marker::PhantomData<T>,
}

impl<T: Listed, F: Fn(&T) -> bool> Source for Typed<T, F> {
    type Row = T;
    type Item = T;

    fn rows(&mut self, read: &mut dyn Read, cursor: Cursor<Place>, limit: usize) -> Kept<Page<T>> {
        let page = ObjectPage { list: self.objects.list, created: Span::default(), cursor, limit };
        objects::page(read, self.objects.space, &page)
    }

    fn row_place(row: &T) -> Place {
        row.place()
    }

    fn shown(&mut self, _: &mut dyn Read, mut rows: Vec<T>) -> Kept<Vec<T>> {
        rows.retain(&self.objects.keep);
        Ok(rows)
    }

    fn place(item: &T) -> Place {
        item.place()
    }

    fn anchor(&mut self, read: &mut dyn Read, id: &str) -> Kept<Option<Anchor<T>>> {
        Ok(objects::one(read, self.objects.space, self.objects.kind, id)?.map(Anchor::Whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CustomerId;
    use crate::domain::problem::Problem;
    use crate::domain::rental_book::RentalBook;
    use crate::engine::Stop;
    use crate::store::memory::MemoryStore;
    use crate::store::record::write_facts;
    use crate::store::suite::{look, write};

    const HERE: Space = Space(11);
    const LIST: List = List(7);

    impl Listed for RentalBook {
        fn place(&self) -> Place {
            Place { created: self.created, id: self.customer.0.clone() }
        }
    }

    /// Books made at 0, 1, 2, …, that brought in so much. Their ids are in the order of the alphabet: `a`, `b`, `c`, …
    fn books(revenues: &[i64]) -> MemoryStore {
        let store = MemoryStore::new();
        let mut books = Vec::new();
        for (place, revenue) in revenues.iter().enumerate() {
            let id = CustomerId(char::from(b'a' + place as u8).to_string());
            let mut book = RentalBook::blank(id, Time(place as i64));
            book.monthly_revenue = *revenue;
            books.push(book);
        }
        write(&store, move |tx| {
            for book in &books {
                tx.put_object(HERE, &write_facts(&Facts::from(book.clone())), &[], &[LIST])?;
            }
            Ok(())
        })
        .unwrap();
        store
    }

    fn by_revenue(book: &RentalBook) -> SortKey {
        SortKey::Number(book.monthly_revenue)
    }

    /// The ids of a page and whether there are more.
    fn listed(
        store: &MemoryStore,
        sort: Sort<RentalBook>,
        ascending: bool,
        after: &str,
        limit: usize,
    ) -> (String, bool) {
        let after = Some(after).filter(|id| !id.is_empty()).map(str::to_owned);
        let paging = Paging { sort, ascending, after, limit };
        let page = look(store, |read| {
            let objects = Objects {
                space: HERE,
                list: LIST,
                kind: ObjectKind::RentalBook,
                keep: |book: &RentalBook| book.monthly_revenue >= 0,
            };
            Ok(objects.page(read, &paging).map_err(|stop| match stop {
                Stop::Problem(problem) => problem,
                Stop::Failure(failure) => panic!("{failure}"),
            }))
        });
        match page {
            Ok(page) => (page.items.iter().map(|book| book.customer.as_str()).collect(), page.has_more),
            Err(Problem::Rental(RentalProblem::UnknownCursor(id))) => (format!("unknown {id}"), false),
            Err(problem) => panic!("{problem:?}"),
        }
    }

    #[test]
    fn lists_go_both_ways_behind_any_item() {
        // `c` is left out by the filter.
        let store = books(&[30, 10, -1, 20, 10]);
        for (by_key, ascending, after, limit, wanted) in [
            (false, false, "", 9, ("edba", false)),
            (false, false, "", 2, ("ed", true)),
            (false, false, "d", 2, ("ba", false)),
            (false, false, "c", 1, ("b", true)),
            (false, false, "a", 2, ("", false)),
            (false, true, "", 3, ("abd", true)),
            (false, true, "b", 9, ("de", false)),
            (false, true, "c", 1, ("d", true)),
            (true, true, "", 9, ("beda", false)),
            (true, true, "", 2, ("be", true)),
            (true, true, "e", 2, ("da", false)),
            (true, true, "c", 1, ("b", true)),
            (true, false, "", 9, ("adeb", false)),
            (true, false, "d", 1, ("e", true)),
            (true, false, "e", 1, ("b", false)),
            (true, false, "c", 1, ("", false)),
            (false, false, "x", 1, ("unknown x", false)),
            (true, false, "x", 1, ("unknown x", false)),
        ] {
            let sort = if by_key { Sort::By(by_revenue) } else { Sort::Created };
            let (ids, has_more) = listed(&store, sort, ascending, after, limit);
            let asked = format!("by key {by_key}, ascending {ascending}, after {after:?}, at most {limit}");
            assert_eq!((ids.as_str(), has_more), wanted, "{asked}");
        }
    }

    #[test]
    fn every_item_is_on_one_page() {
        let revenues: Vec<i64> = (0..26).map(|place| place * 7 % 5).collect();
        let store = books(&revenues);
        for (sort, ascending) in [
            (Sort::Created, false),
            (Sort::Created, true),
            (Sort::By(by_revenue as fn(&RentalBook) -> SortKey), false),
            (Sort::By(by_revenue), true),
        ] {
            let (whole, _) = listed(&store, sort, ascending, "", 100);
            assert_eq!(whole.len(), 26);
            for limit in [1, 3, 25, 26] {
                let (mut all, mut after) = (String::new(), String::new());
                loop {
                    let (ids, has_more) = listed(&store, sort, ascending, &after, limit);
                    all.push_str(&ids);
                    if !has_more {
                        break;
                    }
                    after = ids[ids.len() - 1..].to_owned();
                }
                assert_eq!(all, whole, "{ascending} {limit}");
            }
        }
    }

    #[test]
    fn texts_are_sorted_letter_by_letter() {
        let mut texts = ["b", "a", "B", ""].map(|text| SortKey::Text(text.into()));
        texts.sort();
        assert_eq!(texts, ["", "B", "a", "b"].map(|text| SortKey::Text(text.into())));
        assert!(SortKey::Number(-1) < SortKey::Number(0));
    }
}
