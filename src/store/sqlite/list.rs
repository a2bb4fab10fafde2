//! Pages and searches: walks along an index.

use std::ops::ControlFlow;

use rusqlite::{CachedStatement, Row, Rows};

use super::deliveries;
use super::files::trouble;
use super::read::{body, number};
use super::tx::SqliteTx;
use crate::domain::account::Space;
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::CustomerId;
use crate::domain::page::{BalancePage, Cursor, CustomerPage, EventPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::Term;
use crate::domain::time::Time;
use crate::store::record::{read_balance_transaction, read_customer, read_event};
use crate::store::walk::{Collector, Stretch, Way, span_of};
use crate::store::{Kept, Read};

pub(super) fn customers(tx: &mut SqliteTx<'_>, space: Space, page: &CustomerPage) -> Kept<Page<Customer>> {
    let (stretch, way) = Stretch::of(&page.created, &page.cursor);
    let mut found = Collector::new(page.limit);
    match &page.email {
        None => walk_live(tx, space, &stretch, way, |customer| found.take(customer))?,
        Some(email) => walk_terms(tx, space, &[Term::Email(email).digest()], &stretch, way, |customer| {
            // The index folds case and holds digests; a list wants exactly this address.
            if customer.email.as_ref() == Some(email) { found.take(customer) } else { ControlFlow::Continue(()) }
        })?,
    }
    Ok(found.page(way))
}

pub(super) fn search(
    tx: &mut SqliteTx<'_>,
    space: Space,
    query: &Query,
    after: Option<&Place>,
    limit: usize,
) -> Kept<Page<Customer>> {
    let mut found = Collector::new(limit);
    answers(tx, space, query, after, |customer| found.take(customer))?;
    Ok(found.page(Way::NewestFirst))
}

pub(super) fn count(tx: &mut SqliteTx<'_>, space: Space, query: &Query, most: usize) -> Kept<usize> {
    let mut counted = 0;
    if most > 0 {
        answers(tx, space, query, None, |_| {
            counted += 1;
            if counted == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok(counted)
}

/// Every live customer that answers the query, newest first, behind `after`.
fn answers(
    tx: &mut SqliteTx<'_>,
    space: Space,
    query: &Query,
    after: Option<&Place>,
    mut visit: impl FnMut(Customer) -> ControlFlow<()>,
) -> Kept<()> {
    let cursor = after.cloned().map_or(Cursor::Newest, Cursor::OlderThan);
    let (stretch, way) = Stretch::of(&span_of(query), &cursor);
    let visit = |customer: Customer| {
        if query.matches(&customer) { visit(customer) } else { ControlFlow::Continue(()) }
    };
    match query.narrowing_terms() {
        Some(terms) => walk_terms(tx, space, &terms, &stretch, way, visit),
        None => walk_live(tx, space, &stretch, way, visit),
    }
}

macro_rules! walk_sql {
    ($select:literal, $where:literal, $way:expr) => {
        match $way {
            Way::NewestFirst => concat!(
                $select,
                " AND (created, id) > (?2, ?3) AND (created, id) < (?4, ?5) ",
                $where,
                " ORDER BY created DESC, id DESC"
            ),
            Way::OldestFirst => concat!(
                $select,
                " AND (created, id) > (?2, ?3) AND (created, id) < (?4, ?5) ",
                $where,
                " ORDER BY created, id"
            ),
        }
    };
}

fn live_sql(way: Way) -> &'static str {
    walk_sql!("SELECT body FROM customers WHERE account = ?1 AND deleted = 0", "", way)
}

fn terms_sql(way: Way) -> &'static str {
    walk_sql!("SELECT created, id FROM customer_terms WHERE account = ?1", "AND term = ?6", way)
}

fn balance_transactions_sql(way: Way) -> &'static str {
    walk_sql!("SELECT body FROM balance_transactions WHERE account = ?1", "AND customer = ?6", way)
}

/// One index serves every list: by kind, then place, with the time beside it.
fn events_sql(way: Way) -> &'static str {
    match way {
        Way::NewestFirst => {
            "SELECT rowid, seq, kind FROM events WHERE account = ?1 AND seq > ?2 AND seq < ?3 \
             AND created >= ?4 AND created < ?5 ORDER BY seq DESC"
        }
        Way::OldestFirst => {
            "SELECT rowid, seq, kind FROM events WHERE account = ?1 AND seq > ?2 AND seq < ?3 \
             AND created >= ?4 AND created < ?5 ORDER BY seq"
        }
    }
}

/// The statements of every walk, for whoever examines their plans.
#[cfg(test)]
pub(super) fn every_walk() -> Vec<&'static str> {
    [Way::NewestFirst, Way::OldestFirst]
        .into_iter()
        .flat_map(|way| [live_sql(way), terms_sql(way), balance_transactions_sql(way), events_sql(way)])
        .collect()
}

fn walk_live(
    tx: &mut SqliteTx<'_>,
    space: Space,
    stretch: &Stretch,
    way: Way,
    mut visit: impl FnMut(Customer) -> ControlFlow<()>,
) -> Kept<()> {
    let doing = "listing customers";
    let sql = live_sql(way);
    let Stretch { above, below } = stretch;
    let mut statement = tx.connection.prepare_cached(sql).map_err(trouble(doing))?;
    let mut rows =
        statement.query((space.0, above.created.0, &above.id, below.created.0, &below.id)).map_err(trouble(doing))?;
    while let Some(row) = rows.next().map_err(trouble(doing))? {
        if visit(body(row, 0, doing, read_customer)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Walks the live customers that have at least one of the terms, each once.
fn walk_terms(
    tx: &mut SqliteTx<'_>,
    space: Space,
    terms: &[i64],
    stretch: &Stretch,
    way: Way,
    mut visit: impl FnMut(Customer) -> ControlFlow<()>,
) -> Kept<()> {
    let doing = "walking along terms";
    let sql = terms_sql(way);
    let Stretch { above, below } = stretch;
    let connection = tx.connection;
    let mut statements = terms
        .iter()
        .map(|_| connection.prepare_cached(sql))
        .collect::<rusqlite::Result<Vec<CachedStatement<'_>>>>()
        .map_err(trouble(doing))?;
    let mut walks = Vec::with_capacity(terms.len());
    for (statement, term) in statements.iter_mut().zip(terms) {
        let rows = statement
            .query((space.0, above.created.0, &above.id, below.created.0, &below.id, term))
            .map_err(trouble(doing))?;
        walks.extend(Walk::begin(rows, doing, place)?);
    }
    while let Some(next) = next_of(&walks, way) {
        advance_past(&mut walks, &next, doing, place)?;
        let customer = tx.customer(space, &CustomerId(next.id))?;
        if let Some(customer) = customer.filter(|customer| customer.deleted.is_none())
            && visit(customer).is_break()
        {
            break;
        }
    }
    Ok(())
}

/// One of several walks along an index that are merged into one, with the item that it stands at.
struct Walk<'s, K> {
    at: K,
    rows: Rows<'s>,
}

impl<'s, K> Walk<'s, K> {
    fn begin(mut rows: Rows<'s>, doing: &str, key: fn(&Row<'_>, &str) -> Kept<K>) -> Kept<Option<Walk<'s, K>>> {
        let at = rows.next().map_err(trouble(doing))?.map(|row| key(row, doing)).transpose()?;
        Ok(at.map(|at| Walk { at, rows }))
    }
}

fn next_of<K: Ord + Clone>(walks: &[Walk<'_, K>], way: Way) -> Option<K> {
    let heads = walks.iter().map(|walk| &walk.at);
    match way {
        Way::NewestFirst => heads.max().cloned(),
        Way::OldestFirst => heads.min().cloned(),
    }
}

/// Moves every walk that stands at `item` on, and drops those that are at their end.
fn advance_past<K: Eq>(
    walks: &mut Vec<Walk<'_, K>>,
    item: &K,
    doing: &str,
    key: fn(&Row<'_>, &str) -> Kept<K>,
) -> Kept<()> {
    let mut position = 0;
    while position < walks.len() {
        if walks[position].at != *item {
            position += 1;
            continue;
        }
        match walks[position].rows.next().map_err(trouble(doing))?.map(|row| key(row, doing)).transpose()? {
            Some(at) => {
                walks[position].at = at;
                position += 1;
            }
            None => drop(walks.swap_remove(position)),
        }
    }
    Ok(())
}

fn place(row: &Row<'_>, doing: &str) -> Kept<Place> {
    Ok(Place { created: Time(number(row, 0, doing)?), id: row.get(1).map_err(trouble(doing))? })
}

pub(super) fn balance_transactions(
    tx: &SqliteTx<'_>,
    space: Space,
    page: &BalancePage,
) -> Kept<Page<BalanceTransaction>> {
    let doing = "listing balance transactions";
    let (Stretch { above, below }, way) = Stretch::of(&page.created, &page.cursor);
    let sql = balance_transactions_sql(way);
    let mut found = Collector::new(page.limit);
    let mut statement = tx.connection.prepare_cached(sql).map_err(trouble(doing))?;
    let parameters = (space.0, above.created.0, &above.id, below.created.0, &below.id, page.customer.as_str());
    let mut rows = statement.query(parameters).map_err(trouble(doing))?;
    while let Some(row) = rows.next().map_err(trouble(doing))? {
        if found.take(body(row, 0, doing, read_balance_transaction)?).is_break() {
            break;
        }
    }
    Ok(found.page(way))
}

pub(super) fn event_places(
    tx: &SqliteTx<'_>,
    space: Space,
    after: i64,
    kinds: &[EventKind],
    most: usize,
) -> Kept<Vec<i64>> {
    let doing = "counting events";
    let mut statement = tx.connection.prepare_cached(events_sql(Way::OldestFirst)).map_err(trouble(doing))?;
    let mut rows = statement.query((space.0, after, i64::MAX, i64::MIN, i64::MAX)).map_err(trouble(doing))?;
    let mut places = Vec::new();
    while places.len() < most
        && let Some(row) = rows.next().map_err(trouble(doing))?
    {
        let kind = row.get_ref(2).and_then(|kind| Ok(kind.as_str()?)).map_err(trouble(doing))?;
        if kinds.iter().any(|wanted| wanted.as_str() == kind) {
            places.push(number(row, 1, doing)?);
        }
    }
    Ok(places)
}

pub(super) fn events(tx: &SqliteTx<'_>, space: Space, page: &EventPage) -> Kept<Page<Event>> {
    let doing = "listing events";
    let (above, below, way) = match page.cursor {
        Cursor::Newest => (i64::MIN, i64::MAX, Way::NewestFirst),
        Cursor::OlderThan(sequence) => (i64::MIN, sequence, Way::NewestFirst),
        Cursor::NewerThan(sequence) => (sequence, i64::MAX, Way::OldestFirst),
    };
    let sql = events_sql(way);
    let from = page.created.from.map_or(i64::MIN, |time| time.0);
    let until = page.created.until.map_or(i64::MAX, |time| time.0);
    let wanted = |kind: &str| match &page.kinds {
        None => true,
        Some(kinds) => kinds.iter().any(|wanted| wanted.as_str() == kind),
    };
    let mut found = Collector::new(page.limit);
    let mut statement = tx.connection.prepare_cached(sql).map_err(trouble(doing))?;
    let mut rows = statement.query((space.0, above, below, from, until)).map_err(trouble(doing))?;
    while let Some(row) = rows.next().map_err(trouble(doing))? {
        let kind = row.get_ref(2).and_then(|kind| Ok(kind.as_str()?)).map_err(trouble(doing))?;
        if !wanted(kind) {
            continue;
        }
        let (place, sequence) = (number(row, 0, doing)?, number(row, 1, doing)?);
        if let Some(delivered) = page.delivered
            && deliveries::all_succeeded(tx, space, sequence)? != delivered
        {
            continue;
        }
        let event = tx.find(doing, "SELECT body FROM events WHERE rowid = ?1", [place], |row| {
            body(row, 0, doing, |text| read_event(sequence, text))
        })?;
        if let Some(event) = event
            && found.take(event).is_break()
        {
            break;
        }
    }
    Ok(found.page(way))
}
