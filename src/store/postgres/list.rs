//! Pages and searches: walks along an index, in chunks that grow.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::Connection;
use super::fetch::{body, column, digest, object, prepared};
use super::setback::{Got, Setback};
use super::statements;
use crate::domain::account::{Account, Space};
use crate::domain::api_key::ApiKey;
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::event::{Event, EventKind};
use crate::domain::object::Object;
use crate::domain::page::{BalancePage, Cursor, CustomerPage, EventPage, ObjectPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::Term;
use crate::domain::time::Time;
use crate::store::record::{read_account, read_api_key, read_balance_transaction, read_customer, read_event};
use crate::store::walk::{Collector, Stretch, Way, span_of};

/// How many rows the first chunk of a walk has whose rows may not all do.
const FIRST_CHUNK: usize = 64;
/// How many rows a chunk has at most.
const MAX_CHUNK: usize = 1_024;

pub(super) async fn every_account(connection: &Connection) -> Got<Vec<Account>> {
    let doing = "reading every account";
    let mut accounts = Vec::new();
    for row in rows(connection, doing, statements::EVERY_ACCOUNT, &[]).await? {
        let space = Space(column(&row, 0, doing)?);
        accounts.push(body(&row, 1, doing, |text| read_account(space, text))?);
    }
    accounts.sort_by(|one, two| (&one.id, one.mode).cmp(&(&two.id, two.mode)));
    Ok(accounts)
}

pub(super) async fn every_api_key(connection: &Connection) -> Got<Vec<ApiKey>> {
    let doing = "reading every API key";
    let mut keys = Vec::new();
    for row in rows(connection, doing, statements::EVERY_API_KEY, &[]).await? {
        let digest = digest(&row, 0, doing)?;
        keys.push(body(&row, 1, doing, |text| read_api_key(digest, text))?);
    }
    keys.sort_by(|one, two| (one.created, &one.digest).cmp(&(two.created, &two.digest)));
    Ok(keys)
}

pub(super) async fn old_replies(connection: &Connection, before: Time, most: usize) -> Got<Vec<(Space, String)>> {
    let doing = "looking for old replies";
    let rows = rows(connection, doing, statements::OLD_REPLIES, &[&before.0, &limit(most)]).await?;
    rows.iter().map(|row| Ok((Space(column(row, 0, doing)?), column(row, 1, doing)?))).collect()
}

pub(super) async fn customers(connection: &Connection, space: Space, page: &CustomerPage) -> Got<Page<Customer>> {
    let (stretch, way) = Stretch::of(&page.created, &page.cursor);
    let mut found = Collector::new(page.limit);
    let walk = Walk { connection, space, way };
    match &page.email {
        None => walk.live(stretch, page.limit + 1, |customer| found.take(customer)).await?,
        Some(email) => {
            let terms = [Term::Email(email).digest()];
            // The index folds case and holds digests; a list wants exactly this address.
            let exactly = |customer: Customer| {
                if customer.email.as_ref() == Some(email) { found.take(customer) } else { ControlFlow::Continue(()) }
            };
            walk.terms(&terms, stretch, page.limit + 1, exactly).await?;
        }
    }
    Ok(found.page(way))
}

pub(super) async fn search(
    connection: &Connection,
    space: Space,
    query: &Query,
    after: Option<&Place>,
    limit: usize,
) -> Got<Page<Customer>> {
    let mut found = Collector::new(limit);
    answers(connection, space, query, after, |customer| found.take(customer)).await?;
    Ok(found.page(Way::NewestFirst))
}

pub(super) async fn count(connection: &Connection, space: Space, query: &Query, most: usize) -> Got<usize> {
    let mut counted = 0;
    if most > 0 {
        let count = |_| {
            counted += 1;
            if counted == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        answers(connection, space, query, None, count).await?;
    }
    Ok(counted)
}

/// Every live customer that answers the query, newest first, behind `after`.
async fn answers(
    connection: &Connection,
    space: Space,
    query: &Query,
    after: Option<&Place>,
    mut visit: impl FnMut(Customer) -> ControlFlow<()>,
) -> Got<()> {
    let cursor = after.map(behind).map_or(Cursor::Newest, Cursor::OlderThan);
    let (stretch, way) = Stretch::of(&span_of(query), &cursor);
    let visit = |customer: Customer| {
        if query.matches(&customer) { visit(customer) } else { ControlFlow::Continue(()) }
    };
    let walk = Walk { connection, space, way };
    match query.narrowing_terms() {
        Some(terms) => walk.terms(&terms, stretch, FIRST_CHUNK, visit).await,
        None => walk.live(stretch, FIRST_CHUNK, visit).await,
    }
}

/// The place as PostgreSQL can be asked for it: a caller makes places up, and its texts hold no NUL. Whatever lies before
/// `a` and NUL lies before `a` and U+0001 too, since no id holds either.
fn behind(place: &Place) -> Place {
    let id = match place.id.split_once('\0') {
        Some((start, _)) => format!("{start}\u{1}"),
        None => place.id.clone(),
    };
    Place { created: place.created, id }
}

/// A walk over the customers of an account.
struct Walk<'c> {
    connection: &'c Connection,
    space: Space,
    way: Way,
}

impl Walk<'_> {
    /// Visits the live customers.
    async fn live(
        &self,
        mut stretch: Stretch,
        first_chunk: usize,
        mut visit: impl FnMut(Customer) -> ControlFlow<()>,
    ) -> Got<()> {
        let doing = "listing customers";
        let sql = match self.way {
            Way::NewestFirst => statements::CUSTOMERS_NEWEST_FIRST,
            Way::OldestFirst => statements::CUSTOMERS_OLDEST_FIRST,
        };
        let mut chunk = first_chunk.min(MAX_CHUNK);
        loop {
            let Stretch { above, below } = &stretch;
            let parameters: [&(dyn ToSql + Sync); 6] =
                [&self.space.0, &above.created.0, &above.id, &below.created.0, &below.id, &limit(chunk)];
            let rows = rows(self.connection, doing, sql, &parameters).await?;
            let mut last = None;
            for row in &rows {
                let customer = body(row, 0, doing, read_customer)?;
                last = Some(Place { created: customer.created, id: customer.id.0.clone() });
                if visit(customer).is_break() {
                    return Ok(());
                }
            }
            match last {
                Some(last) if rows.len() == chunk => advance(&mut stretch, self.way, last),
                Some(_) | None => return Ok(()),
            }
            chunk = (chunk * 2).min(MAX_CHUNK);
        }
    }

    /// Visits the live customers that have at least one of the terms, each once.
    async fn terms(
        &self,
        terms: &[i64],
        stretch: Stretch,
        first_chunk: usize,
        mut visit: impl FnMut(Customer) -> ControlFlow<()>,
    ) -> Got<()> {
        let mut chunk = first_chunk.min(MAX_CHUNK);
        let mut strands: Vec<Strand> = terms.iter().map(|term| Strand::new(*term, &stretch)).collect();
        loop {
            let places = self.merged(&mut strands, chunk).await?;
            let mut customers = self.named(&places).await?;
            for place in &places {
                let customer = customers.remove(place.id.as_str()).filter(|customer| customer.deleted.is_none());
                if let Some(customer) = customer
                    && visit(customer).is_break()
                {
                    return Ok(());
                }
            }
            if places.len() < chunk {
                return Ok(());
            }
            chunk = (chunk * 2).min(MAX_CHUNK);
        }
    }

    /// The next places that are on any of the strands, in their order and each once.
    async fn merged(&self, strands: &mut [Strand], most: usize) -> Got<Vec<Place>> {
        let mut places = Vec::new();
        while places.len() < most {
            for strand in strands.iter_mut().filter(|strand| strand.ahead.is_empty() && !strand.ended) {
                self.lengthen(strand, most).await?;
            }
            let heads = strands.iter().filter_map(|strand| strand.ahead.front());
            let next = match self.way {
                Way::NewestFirst => heads.max(),
                Way::OldestFirst => heads.min(),
            };
            let Some(next) = next.cloned() else { break };
            for strand in strands.iter_mut() {
                if strand.ahead.front() == Some(&next) {
                    strand.ahead.pop_front();
                }
            }
            places.push(next);
        }
        Ok(places)
    }

    async fn lengthen(&self, strand: &mut Strand, chunk: usize) -> Got<()> {
        let doing = "walking along terms";
        let sql = match self.way {
            Way::NewestFirst => statements::TERMS_NEWEST_FIRST,
            Way::OldestFirst => statements::TERMS_OLDEST_FIRST,
        };
        let Stretch { above, below } = &strand.stretch;
        let parameters: [&(dyn ToSql + Sync); 7] =
            [&self.space.0, &above.created.0, &above.id, &below.created.0, &below.id, &limit(chunk), &strand.term];
        for row in rows(self.connection, doing, sql, &parameters).await? {
            strand.ahead.push_back(Place { created: Time(column(&row, 0, doing)?), id: column(&row, 1, doing)? });
        }
        strand.ended = strand.ahead.len() < chunk;
        if let Some(last) = strand.ahead.back().cloned() {
            advance(&mut strand.stretch, self.way, last);
        }
        Ok(())
    }

    async fn named(&self, places: &[Place]) -> Got<HashMap<String, Customer>> {
        let doing = "reading customers";
        let ids: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = rows(self.connection, doing, statements::CUSTOMERS_NAMED, &[&self.space.0, &ids]).await?;
        rows.iter().map(|row| Ok((column(row, 0, doing)?, body(row, 1, doing, read_customer)?))).collect()
    }
}

/// The places of one term.
struct Strand {
    term: i64,
    stretch: Stretch,
    /// Places that were read and not passed yet.
    ahead: VecDeque<Place>,
    /// There are no more behind them.
    ended: bool,
}

impl Strand {
    fn new(term: i64, stretch: &Stretch) -> Strand {
        Strand { term, stretch: stretch.clone(), ahead: VecDeque::new(), ended: false }
    }
}

/// Goes on behind `last`.
fn advance(stretch: &mut Stretch, way: Way, last: Place) {
    match way {
        Way::NewestFirst => stretch.below = last,
        Way::OldestFirst => stretch.above = last,
    }
}

pub(super) async fn balance_transactions(
    connection: &Connection,
    space: Space,
    page: &BalancePage,
) -> Got<Page<BalanceTransaction>> {
    let doing = "listing balance transactions";
    let (Stretch { above, below }, way) = Stretch::of(&page.created, &page.cursor);
    let sql = match way {
        Way::NewestFirst => statements::BALANCE_TRANSACTIONS_NEWEST_FIRST,
        Way::OldestFirst => statements::BALANCE_TRANSACTIONS_OLDEST_FIRST,
    };
    let customer = page.customer.as_str();
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&space.0, &above.created.0, &above.id, &below.created.0, &below.id, &limit(page.limit + 1), &customer];
    let mut found = Collector::new(page.limit);
    for row in rows(connection, doing, sql, &parameters).await? {
        let _ = found.take(body(&row, 0, doing, read_balance_transaction)?);
    }
    Ok(found.page(way))
}

pub(super) async fn objects(connection: &Connection, space: Space, page: &ObjectPage) -> Got<Page<Object>> {
    let (Stretch { above, below }, way) = Stretch::of(&page.created, &page.cursor);
    let sql = match way {
        Way::NewestFirst => statements::OBJECTS_NEWEST_FIRST,
        Way::OldestFirst => statements::OBJECTS_OLDEST_FIRST,
    };
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&space.0, &above.created.0, &above.id, &below.created.0, &below.id, &limit(page.limit + 1), &page.list.0];
    let mut found = Collector::new(page.limit);
    for row in rows(connection, "listing objects", sql, &parameters).await? {
        let _ = found.take(object(&row)?);
    }
    Ok(found.page(way))
}

pub(super) async fn event_places(
    connection: &Connection,
    space: Space,
    after: i64,
    kinds: &[EventKind],
    most: usize,
) -> Got<Vec<i64>> {
    let doing = "counting events";
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let most = limit(most);
    let found = rows(connection, doing, statements::EVENT_PLACES, &[&space.0, &after, &kinds, &most]).await?;
    found.iter().map(|row| column(row, 0, doing)).collect()
}

pub(super) async fn events(connection: &Connection, space: Space, page: &EventPage) -> Got<Page<Event>> {
    let doing = "listing events";
    let (above, below, way) = match page.cursor {
        Cursor::Newest => (i64::MIN, i64::MAX, Way::NewestFirst),
        Cursor::OlderThan(sequence) => (i64::MIN, sequence, Way::NewestFirst),
        Cursor::NewerThan(sequence) => (sequence, i64::MAX, Way::OldestFirst),
    };
    let sql = match (way, page.delivered) {
        (Way::NewestFirst, None) => statements::EVENTS_NEWEST_FIRST,
        (Way::OldestFirst, None) => statements::EVENTS_OLDEST_FIRST,
        (Way::NewestFirst, Some(_)) => statements::DELIVERED_NEWEST_FIRST,
        (Way::OldestFirst, Some(_)) => statements::DELIVERED_OLDEST_FIRST,
    };
    let from = page.created.from.map_or(i64::MIN, |time| time.0);
    let until = page.created.until.map_or(i64::MAX, |time| time.0);
    let kinds: Option<Vec<&str>> = page.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.as_str()).collect());
    let most = limit(page.limit + 1);
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&space.0, &above, &below, &from, &until, &kinds, &most];
    parameters.extend(page.delivered.iter().map(|delivered| delivered as &(dyn ToSql + Sync)));
    let mut found = Collector::new(page.limit);
    for row in rows(connection, doing, sql, &parameters).await? {
        let sequence = column(&row, 0, doing)?;
        let _ = found.take(body(&row, 1, doing, |text| read_event(sequence, text))?);
    }
    Ok(found.page(way))
}

pub(super) async fn rows(
    connection: &Connection,
    doing: &'static str,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Got<Vec<Row>> {
    let statement = prepared(connection, sql).await?;
    let asked = connection.hear(connection.query(&statement, parameters)).await;
    asked.ok_or_else(|| Setback::late(doing))?.map_err(Setback::of(doing))
}

pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
