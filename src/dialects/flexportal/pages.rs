//! Lists: which part of them a request asks for, and the envelope that they come in.

use crate::domain::page::Page;
use crate::engine::listing::{Paging, Sort};
use crate::http::json::{Json, Object};
use crate::rest::shape::member;
use crate::rest::{Fields, Member, Shape};

/// How many items a page has when nobody says.
const DEFAULT_LIMIT: i64 = 50;
/// The most items of a page.
const MAX_LIMIT: i64 = 100;

/// How many items.
pub const LIMIT: Member =
    member("limit", Shape::Whole(1, MAX_LIMIT)).doc("How many items a page has at most; 50 when nothing is said.");
/// Behind which item.
pub const START_AFTER: Member =
    member("startAfter", Shape::text(1, 255)).doc("The id of the last item of the page before: `nextCursor`.");
/// In which direction.
pub const SORT_DIR: Member =
    member("sortDir", Shape::Word(&["desc", "asc"])).doc("The largest or newest first, or the smallest or oldest.");

/// The parameter for a sort key.
pub const fn sort_by(words: &'static [&'static str]) -> Member {
    member("sortBy", Shape::Word(words)).doc("By what the list is sorted; by creation when nothing is said.")
}

/// What a request asks of a list; `sorts` are the sort keys beside `createdAt`.
pub fn paging<T>(query: &mut Fields, sorts: &[(&str, Sort<T>)]) -> Paging<T> {
    let by: Option<String> = query.get("sortBy");
    let sort = sorts.iter().find(|(name, _)| by.as_deref() == Some(name)).map_or(Sort::Created, |(_, sort)| *sort);
    let direction: Option<String> = query.get("sortDir");
    let limit: i64 = query.get("limit").unwrap_or(DEFAULT_LIMIT);
    Paging {
        sort,
        ascending: direction.as_deref() == Some("asc"),
        after: query.get("startAfter"),
        // The bounds keep it within 1 and 100.
        limit: usize::try_from(limit).unwrap_or_default(),
    }
}

/// The members of an envelope beside its list.
pub const COUNT: Member = member("count", Shape::Whole(0, i64::MAX)).needed().doc("How many items the page has.");
/// The limit that was asked for.
pub const LIMIT_SHOWN: Member = member("limit", Shape::Whole(1, i64::MAX)).needed().doc("The limit.");
/// Whether there is another page.
pub const HAS_MORE: Member = member("hasMore", Shape::Flag).needed().doc("Whether the list goes on.");
/// Where it begins.
pub const NEXT_CURSOR: Member = member("nextCursor", Shape::text(0, 255))
    .needed()
    .nullable()
    .doc("What to give as `startAfter` for the next page; null when there is none.");

/// A page in its envelope.
pub fn envelope<T>(
    plural: &'static str,
    page: &Page<T>,
    limit: usize,
    item: impl Fn(&T) -> Object,
    id: impl Fn(&T) -> String,
) -> Object {
    let next = page.items.last().filter(|_| page.has_more).map(id);
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Object::new()
        .and(plural, Json::List(page.items.iter().map(|shown| item(shown).into()).collect()))
        .and("count", count(page.items.len()))
        .and("limit", count(limit))
        .and("hasMore", page.has_more)
        .and("nextCursor", next)
}

/// A page in the envelope of payments and billing groups, which says that all is well and not how many were asked for.
pub fn said_well<T>(
    plural: &'static str,
    page: &Page<T>,
    item: impl Fn(&T) -> Object,
    id: impl Fn(&T) -> String,
) -> Object {
    let next = page.items.last().filter(|_| page.has_more).map(id);
    Object::new()
        .and("success", true)
        .and(plural, Json::List(page.items.iter().map(|shown| item(shown).into()).collect()))
        .and("count", i64::try_from(page.items.len()).unwrap_or(i64::MAX))
        .and("hasMore", page.has_more)
        .and("nextCursor", next)
}
