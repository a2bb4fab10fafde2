//! Lists: their parameters, their cursors, their envelope.

use super::failure::Refusal;
use super::params::{Empty, Kind, Param, Shape};
use crate::domain::page::{Cursor, MAX_LIMIT, Page};
use crate::http::json::{Json, Object};

/// How many items a page has when the caller does not say.
pub const DEFAULT_LIMIT: usize = 10;

/// Texts of up to 5000 characters, the limit that the published schema gives where it has no other.
pub const TEXT: Shape = Shape::Text(5000);
/// What to expand.
pub const EXPAND: Shape = Shape::List(&TEXT, 100);
const LIMIT: Shape = Shape::Integer { min: 1, max: MAX_LIMIT as i64 };

/// The parameters that every list has.
#[derive(Default)]
pub struct Paging {
    limit: Option<usize>,
    starting_after: Option<String>,
    ending_before: Option<String>,
    /// What to expand.
    pub expand: Vec<String>,
}

/// Something that has paging parameters.
pub trait Paged {
    /// They.
    fn paging(&mut self) -> &mut Paging;
}

/// The row of `ending_before`.
pub const fn ending_before<C: Paged>() -> Param<C> {
    row("ending_before", Kind::Value(&TEXT, |list, value| list.paging().ending_before = Some(value.text())))
}

/// The row of `expand`.
pub const fn expand<C: Paged>() -> Param<C> {
    row("expand", Kind::Value(&EXPAND, |list, value| list.paging().expand = value.texts()))
}

/// The row of `limit`.
pub const fn limit<C: Paged>() -> Param<C> {
    // The shape's bounds keep the number within 1 and 100.
    row("limit", Kind::Value(&LIMIT, |list, value| list.paging().limit = Some(value.integer() as usize)))
}

/// The row of `starting_after`.
pub const fn starting_after<C: Paged>() -> Param<C> {
    row("starting_after", Kind::Value(&TEXT, |list, value| list.paging().starting_after = Some(value.text())))
}

/// The row of a parameter that was always there and cannot be empty.
pub const fn row<C>(name: &'static str, kind: Kind<C>) -> Param<C> {
    Param { name, kind, empty: Empty::Refused, required: false, added: "", removed: "" }
}

/// The item that a page begins at, before it was looked up.
pub type Anchor = Cursor<String>;

impl Paging {
    /// How many items at most.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Where to begin.
    pub fn anchor(&self) -> Result<Anchor, Refusal> {
        match (&self.starting_after, &self.ending_before) {
            (Some(_), Some(_)) => Err(Refusal::both_cursors()),
            (Some(id), None) => Ok(Cursor::OlderThan(id.clone())),
            (None, Some(id)) => Ok(Cursor::NewerThan(id.clone())),
            (None, None) => Ok(Cursor::Newest),
        }
    }
}

/// The parameter that an anchor came from.
pub fn anchor_param(anchor: &Anchor) -> &'static str {
    match anchor {
        Cursor::Newest | Cursor::OlderThan(_) => "starting_after",
        Cursor::NewerThan(_) => "ending_before",
    }
}

/// Turns an anchor's id into a place in the list.
pub fn placed<K, E>(anchor: &Anchor, place: impl FnOnce(&str) -> Result<K, E>) -> Result<Cursor<K>, E> {
    Ok(match anchor {
        Cursor::Newest => Cursor::Newest,
        Cursor::OlderThan(id) => Cursor::OlderThan(place(id)?),
        Cursor::NewerThan(id) => Cursor::NewerThan(place(id)?),
    })
}

/// A page of a few items that are all at hand, newest first, and what an unknown anchor is refused with.
pub fn page_of<T>(
    items: Vec<T>,
    anchor: &Anchor,
    limit: usize,
    is: impl Fn(&T, &str) -> bool,
    noun: &str,
) -> Result<Page<T>, Refusal> {
    let place = placed(anchor, |id| {
        let place = items.iter().position(|item| is(item, id));
        place.ok_or_else(|| Refusal::no_such(noun, id, anchor_param(anchor)))
    })?;
    let (from, until) = match place {
        Cursor::Newest => (0, limit),
        Cursor::OlderThan(place) => (place + 1, place + 1 + limit),
        Cursor::NewerThan(place) => (place.saturating_sub(limit), place),
    };
    let has_more = match place {
        Cursor::NewerThan(_) => from > 0,
        Cursor::Newest | Cursor::OlderThan(_) => until < items.len(),
    };
    let items = items.into_iter().take(until).skip(from).collect();
    Ok(Page { items, has_more })
}

/// The envelope of a page.
pub fn envelope<T>(page: &Page<T>, url: String, item: impl FnMut(&T) -> Json) -> Json {
    let data: Vec<Json> = page.items.iter().map(item).collect();
    Object::new().and("object", "list").and("data", data).and("has_more", page.has_more).and("url", url).into()
}

#[cfg(test)]
mod tests {
    use super::{Anchor, page_of};
    use crate::domain::page::{Cursor, Page};

    fn page(anchor: Anchor, limit: usize) -> (String, bool) {
        let items = vec!["e", "d", "c", "b", "a"];
        let Page { items, has_more } = page_of(items, &anchor, limit, |item, id| *item == id, "letter").unwrap();
        (items.concat(), has_more)
    }

    #[test]
    fn what_is_at_hand_is_cut_into_pages() {
        let older = |id: &str| Cursor::OlderThan(id.to_owned());
        let newer = |id: &str| Cursor::NewerThan(id.to_owned());
        for (anchor, limit, items, has_more) in [
            (Cursor::Newest, 5, "edcba", false),
            (Cursor::Newest, 4, "edcb", true),
            (older("d"), 2, "cb", true),
            (older("d"), 3, "cba", false),
            (older("a"), 3, "", false),
            (newer("a"), 2, "cb", true),
            (newer("a"), 4, "edcb", false),
            (newer("d"), 1, "e", false),
            (newer("e"), 1, "", false),
        ] {
            assert_eq!(page(anchor.clone(), limit), (items.to_owned(), has_more), "{anchor:?} {limit}");
        }
    }

    #[test]
    fn a_page_begins_at_what_is_there() {
        assert!(page_of(vec!["a"], &Cursor::OlderThan("b".to_owned()), 1, |item, id| *item == id, "letter").is_err());
    }
}
