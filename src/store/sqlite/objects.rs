//! Objects and the lists that they are on.

use rusqlite::Row;

use super::files::trouble;
use super::read::number;
use super::tx::SqliteTx;
use crate::domain::account::Space;
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{ObjectPage, Page};
use crate::domain::time::Time;
use crate::store::walk::{Collector, Stretch, Way};
use crate::store::{Failure, Kept, MAX_SHORT_LIST};

pub(super) fn read(tx: &SqliteTx<'_>, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
    let sql = "SELECT kind, id, created, body FROM objects WHERE account = ?1 AND kind = ?2 AND id = ?3";
    tx.find("reading an object", sql, (space.0, kind.as_str(), id), object)
}

fn object(row: &Row<'_>) -> Kept<Object> {
    let doing = "reading an object";
    let kind = row.get_ref(0).and_then(|kind| Ok(kind.as_str()?)).map_err(trouble(doing))?;
    Ok(Object {
        kind: ObjectKind::named(kind).ok_or_else(|| Failure::broken(doing, "this version does not know its kind"))?,
        id: row.get(1).map_err(trouble(doing))?,
        created: Time(number(row, 2, doing)?),
        body: row.get(3).map_err(trouble(doing))?,
    })
}

macro_rules! of_list {
    ($order:literal) => {
        concat!(
            "SELECT o.kind, o.id, o.created, o.body FROM object_lists AS l \
             JOIN objects AS o ON o.account = l.account AND o.kind = l.kind AND o.id = l.id \
             WHERE l.account = ?1 AND l.list = ?2 AND (l.created, l.id) > (?3, ?4) AND (l.created, l.id) < (?5, ?6) ",
            $order,
            " LIMIT ?7"
        )
    };
}

pub(super) const NEWEST_FIRST: &str = of_list!("ORDER BY l.created DESC, l.id DESC");
pub(super) const OLDEST_FIRST: &str = of_list!("ORDER BY l.created, l.id");

pub(super) fn short_list(tx: &SqliteTx<'_>, space: Space, list: List) -> Kept<Vec<Object>> {
    let page = ObjectPage { list, created: Default::default(), cursor: Default::default(), limit: MAX_SHORT_LIST };
    Ok(objects(tx, space, &page)?.items)
}

pub(super) fn objects(tx: &SqliteTx<'_>, space: Space, page: &ObjectPage) -> Kept<Page<Object>> {
    let (Stretch { above, below }, way) = Stretch::of(&page.created, &page.cursor);
    let sql = match way {
        Way::NewestFirst => NEWEST_FIRST,
        Way::OldestFirst => OLDEST_FIRST,
    };
    let most = i64::try_from(page.limit).unwrap_or(i64::MAX).saturating_add(1);
    let parameters = (space.0, page.list.0, above.created.0, above.id, below.created.0, below.id, most);
    let mut found = Collector::new(page.limit);
    for object in tx.find_all("listing objects", sql, parameters, object)? {
        let _ = found.take(object);
    }
    Ok(found.page(way))
}

pub(super) fn put(tx: &SqliteTx<'_>, space: Space, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()> {
    let sql = "INSERT INTO objects (account, kind, id, created, body) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (account, kind, id) DO UPDATE SET body = excluded.body";
    let Object { kind, id, created, body } = object;
    tx.execute("writing an object", sql, (space.0, kind.as_str(), id, created.0, body))?;
    was_on.iter().filter(|list| !is_on.contains(list)).try_for_each(|list| leave(tx, space, object, *list))?;
    is_on.iter().filter(|list| !was_on.contains(list)).try_for_each(|list| join(tx, space, object, *list))
}

pub(super) fn remove(tx: &SqliteTx<'_>, space: Space, object: &Object, was_on: &[List]) -> Kept<()> {
    let sql = "DELETE FROM objects WHERE account = ?1 AND kind = ?2 AND id = ?3";
    tx.execute("removing an object", sql, (space.0, object.kind.as_str(), &object.id))?;
    was_on.iter().try_for_each(|list| leave(tx, space, object, *list))
}

fn join(tx: &SqliteTx<'_>, space: Space, object: &Object, list: List) -> Kept<()> {
    let sql = "INSERT INTO object_lists (account, list, created, id, kind) VALUES (?1, ?2, ?3, ?4, ?5)";
    let Object { kind, id, created, body: _ } = object;
    tx.execute("putting an object on a list", sql, (space.0, list.0, created.0, id, kind.as_str())).map(drop)
}

fn leave(tx: &SqliteTx<'_>, space: Space, object: &Object, list: List) -> Kept<()> {
    let sql = "DELETE FROM object_lists WHERE account = ?1 AND list = ?2 AND created = ?3 AND id = ?4";
    tx.execute("taking an object off a list", sql, (space.0, list.0, object.created.0, &object.id)).map(drop)
}
