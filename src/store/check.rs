//! Examines a whole store, in one state and without changing it: does every row decode, and do rows agree that say the
//! same thing? It mends nothing.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};

use self::books::Books;
use super::record::{read_account, read_api_key, read_balance_transaction, read_customer, read_event, read_facts};
use super::rows::{Cell, Key, PAGE, Row, Rows, Table, Walk, require_whole};
use super::{Failure, Kept};
use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::domain::facts::Facts;
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::time::Time;

/// The most faults that are told in full; further ones are only counted.
pub const MAX_FAULTS: usize = 100;

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckSummary {
    /// The schema of the database.
    pub schema: i64,
    /// Accounts, each mode for itself.
    pub accounts: u64,
    /// API keys, revoked ones included.
    pub api_keys: u64,
    /// Customers, deleted ones included.
    pub customers: u64,
    /// Terms that customers can be found by.
    pub terms: u64,
    /// Balance transactions.
    pub balance_transactions: u64,
    /// Events.
    pub events: u64,
    /// Kept replies.
    pub replies: u64,
    /// Objects: coupons, promotion codes.
    pub objects: u64,
    /// Deliveries to webhook endpoints.
    pub deliveries: u64,
    /// The first [`MAX_FAULTS`] faults.
    pub faults: Vec<String>,
    /// How many faults there are in all.
    pub fault_count: u64,
}

/// Examines a store. `report` is told of each part when it is done, and of each fault when it is found.
pub fn check(rows: &mut dyn Rows, report: &mut dyn FnMut(String)) -> Kept<CheckSummary> {
    let mark = rows.mark()?;
    require_whole(rows.place(), mark.as_ref())?;
    let mut told = Told { summary: CheckSummary { schema: rows.schema(), ..CheckSummary::default() }, report };
    let own = rows.examine_own(&mut |fault| told.fault(fault))?;
    (told.report)(format!("{own}: examined"));
    let spaces = match rows.accounts() {
        Err(failure) if failure.passes() => return Err(failure),
        Err(failure) => {
            told.fault(failure.to_string());
            Vec::new()
        }
        Ok(spaces) => spaces,
    };
    let mut check = Check { rows, told };
    for space in &spaces {
        check.told.summary.accounts += check.each("accounts", *space, account)?;
        check.told.summary.api_keys += check.each("api_keys", *space, api_key)?;
    }
    check.done(check.told.summary.accounts, "accounts");
    check.done(check.told.summary.api_keys, "API keys");
    for space in &spaces {
        check.customers(*space)?;
    }
    check.done(check.told.summary.customers, "customers");
    check.done(check.told.summary.terms, "terms");
    check.done(check.told.summary.balance_transactions, "balance transactions");
    for space in &spaces {
        let mut expected = 1;
        let events = check.each("events", *space, |told, space, row| event(told, space, row, &mut expected))?;
        check.told.summary.events += events;
        check.told.summary.replies += check.each("replies", *space, reply)?;
        check.objects(*space)?;
        check.deliveries(*space)?;
    }
    check.done(check.told.summary.events, "events");
    check.done(check.told.summary.replies, "replies");
    check.done(check.told.summary.objects, "objects");
    check.done(check.told.summary.deliveries, "webhook deliveries");
    Ok(check.told.summary)
}

struct Check<'a> {
    rows: &'a mut dyn Rows,
    told: Told<'a>,
}

/// What was found so far, and who hears of it.
struct Told<'a> {
    summary: CheckSummary,
    report: &'a mut dyn FnMut(String),
}

impl Told<'_> {
    fn fault(&mut self, fault: String) {
        self.summary.fault_count += 1;
        if self.summary.faults.len() < MAX_FAULTS {
            (self.report)(format!("fault: {fault}"));
            self.summary.faults.push(fault);
        }
    }

    /// What went well. What cannot be read is a fault, unless trying again may help.
    fn readable<T>(&mut self, outcome: Kept<T>) -> Kept<Option<T>> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(failure) if failure.passes() => Err(failure),
            Err(failure) => {
                self.fault(failure.to_string());
                Ok(None)
            }
        }
    }
}

impl Check<'_> {
    fn done(&mut self, count: u64, what: &str) {
        (self.told.report)(format!("{what}: {count} examined"));
    }

    /// Visits every row of an account in a table; gives how many there were. What `visit` cannot read is a fault, not the
    /// end.
    fn each(
        &mut self,
        table: &str,
        space: Space,
        mut visit: impl FnMut(&mut Told<'_>, Space, &Row) -> Kept<()>,
    ) -> Kept<u64> {
        let mut walk = Walk::new(Table::named(table), space, None);
        let mut count = 0;
        // A store that is broken here may be whole elsewhere.
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            count += page.len() as u64;
            for row in &page {
                let visited = visit(&mut self.told, space, row);
                self.told.readable(visited)?;
            }
        }
        Ok(count)
    }

    /// Customers with their terms and, side by side with them, their ledgers.
    fn customers(&mut self, space: Space) -> Kept<()> {
        let mut ledgers = Ledgers::new(space);
        let mut walk = Walk::new(Table::named("customers"), space, None);
        let mut good_terms = 0;
        loop {
            let Some(page) = self.told.readable(walk.next(self.rows))? else {
                // Whose ledgers the rest are cannot be told.
                return ledgers.pass(self, None, false);
            };
            if page.is_empty() {
                break;
            }
            self.told.summary.customers += page.len() as u64;
            let mut terms = Vec::new();
            let mut customers = Vec::with_capacity(page.len());
            for row in &page {
                let balance = ledgers.of(self, row)?;
                let examined = customer(&mut self.told, space, row);
                let Some(customer) = self.told.readable(examined)? else { continue };
                let name = named("customer", customer.id.as_str(), space);
                if customer.deleted.is_none() && balance.is_some_and(|balance| balance != customer.balance) {
                    self.told.fault(format!("{name}: its balance is not where its newest balance transaction left it"));
                }
                for term in customer.term_digests() {
                    terms.push(vec![
                        Cell::Number(term),
                        Cell::Number(customer.created.0),
                        Cell::Text(customer.id.0.clone()),
                    ]);
                }
                customers.push(customer);
            }
            good_terms += self.terms(space, &terms)?;
            self.holdings(space, &customers)?;
        }
        ledgers.pass(self, None, true)?;
        let counted = self.rows.count(Table::named("customer_terms"), space);
        let terms = self.told.readable(counted)?.unwrap_or_default();
        self.told.summary.terms += terms;
        // When there are as many as customers have, there is no room for one more.
        if terms != good_terms {
            self.stray_terms(space)?;
        }
        self.shared_marks(space)
    }

    /// Looks for terms that customers have; gives how many are there.
    fn terms(&mut self, space: Space, keys: &[Key]) -> Kept<u64> {
        self.present("customer_terms", space, keys, |key| {
            let [Cell::Number(term), _, Cell::Text(id)] = &key[..] else { return None };
            Some(format!("{}: it cannot be found by its term {term}", named("customer", id, space)))
        })
    }

    /// Looks for rows that have to be there, and tells of those that are missing in the words of `fault`; gives how many
    /// are there.
    fn present(
        &mut self,
        table: &str,
        space: Space,
        keys: &[Key],
        fault: impl Fn(&Key) -> Option<String>,
    ) -> Kept<u64> {
        let table = Table::named(table);
        let mut good = 0;
        for keys in keys.chunks(PAGE) {
            let found = self.rows.find(table, space, keys);
            let Some(found) = self.told.readable(found)? else { continue };
            let found: HashSet<Key> = found.iter().map(|row| table.key_of(row)).collect();
            good += found.len() as u64;
            for fault in keys.iter().filter(|key| !found.contains(*key)).filter_map(&fault) {
                self.told.fault(fault);
            }
        }
        Ok(good)
    }

    /// Objects, and whether each is on its lists and on no other.
    fn objects(&mut self, space: Space) -> Kept<()> {
        let mut walk = Walk::new(Table::named("objects"), space, None);
        let mut good_places = 0;
        let mut books = Books::default();
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            self.told.summary.objects += page.len() as u64;
            let (mut places, mut queues) = (Vec::new(), Vec::new());
            for row in &page {
                let examined = object(&mut self.told, space, row);
                let Some(facts) = self.told.readable(examined)? else { continue };
                books.take(&facts);
                if facts.kind() == ObjectKind::WebhookEndpoint {
                    queues.push(vec![Cell::Text(facts.key().to_owned())]);
                }
                places.extend(facts.lists().into_iter().map(|list| {
                    let (created, key) = (Cell::Number(facts.created().0), Cell::Text(facts.key().to_owned()));
                    vec![Cell::Number(list.0), created, key]
                }));
            }
            good_places += self.present("object_lists", space, &places, |place| {
                let [Cell::Number(list), _, Cell::Text(id)] = &place[..] else { return None };
                Some(format!("{}: it is not on its list {list}", named("object", id, space)))
            })?;
            self.present("webhook_queues", space, &queues, |key| {
                let [Cell::Text(id)] = &key[..] else { return None };
                Some(format!("{}: it has no queue", named("webhook endpoint", id, space)))
            })?;
        }
        books.tell(&mut self.told, space);
        let counted = self.rows.count(Table::named("object_lists"), space);
        let places = self.told.readable(counted)?.unwrap_or_default();
        // When there are as many as objects have, there is no room for one more.
        if places != good_places { self.stray_places(space) } else { Ok(()) }
    }

    /// The other way round: every object on a list is there, and belongs on it.
    fn stray_places(&mut self, space: Space) -> Kept<()> {
        let mut walk = Walk::new(Table::named("object_lists"), space, None);
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            let key = |place: &Row| vec![place[3].clone(), place[2].clone()];
            let keys: HashSet<Key> = page.iter().map(key).collect();
            let found = self.rows.find(Table::named("objects"), space, &keys.into_iter().collect::<Vec<_>>());
            let Some(found) = self.told.readable(found)? else { continue };
            let objects: HashMap<Key, &Row> = found.iter().map(|row| (row[..2].to_vec(), row)).collect();
            for place in &page {
                let [Cell::Number(list), created, id, _] = &place[..] else { continue };
                let name = named("object", text(id).unwrap_or("?"), space);
                match objects.get(&key(place)).map(|row| facts(row)) {
                    None => self.told.fault(format!("{name}: it is not there, but on list {list}")),
                    // An object that cannot be read has been told of already.
                    Some(Err(_)) => {}
                    Some(Ok(facts)) => {
                        if Cell::Number(facts.created().0) != *created || !facts.lists().contains(&List(*list)) {
                            self.told.fault(format!("{name}: it is on list {list}, where it does not belong"));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The other way round: every term is one that its customer has.
    fn stray_terms(&mut self, space: Space) -> Kept<()> {
        let mut walk = Walk::new(Table::named("customer_terms"), space, None);
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            let ids: HashSet<&Cell> = page.iter().filter_map(|row| row.last()).collect();
            let keys: Vec<Key> = ids.into_iter().map(|id| vec![id.clone()]).collect();
            let found = self.rows.find(Table::named("customers"), space, &keys);
            let Some(found) = self.told.readable(found)? else { continue };
            let customers: HashMap<&Cell, &Row> = found.iter().map(|row| (&row[0], row)).collect();
            for row in &page {
                let [Cell::Number(term), Cell::Number(created), cell] = &row[..] else { continue };
                let name = named("customer", text(cell).unwrap_or("?"), space);
                match customers.get(cell).map(|row| body(row).and_then(|body| Ok(read_customer(body)?))) {
                    None => self.told.fault(format!("{name}: it is not there, but can be found by term {term}")),
                    // A customer that cannot be read has been told of already.
                    Some(Err(_)) => {}
                    Some(Ok(customer)) => {
                        if customer.created.0 != *created || customer.term_digests().binary_search(term).is_err() {
                            self.told.fault(format!("{name}: it can be found by term {term}, which it does not have"));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The ledgers of an account, in the order of its customers.
struct Ledgers {
    space: Space,
    walk: Walk,
    page: VecDeque<Row>,
}

impl Ledgers {
    fn new(space: Space) -> Ledgers {
        Ledgers { space, walk: Walk::new(Table::named("balance_transactions"), space, None), page: VecDeque::new() }
    }

    /// Examines the ledger of a customer, and what lies before it, which is nobody's; gives the balance where it ends.
    fn of(&mut self, check: &mut Check<'_>, customer: &Row) -> Kept<Option<i64>> {
        let id = text(&customer[0]).map_err(|cause| Failure::broken("reading a customer's id", cause));
        let Some(id) = check.told.readable(id)? else { return Ok(None) };
        self.pass(check, Some(id), true)?;
        let mut balance = None;
        while let Some(row) = self.take(check, |owner| owner == id)? {
            let examined = balance_transaction(&mut check.told, self.space, &row);
            balance = check.told.readable(examined)?;
        }
        Ok(balance)
    }

    /// Examines everything that lies before the customer, or to the end. When `nobodys` is known, it is told of.
    fn pass(&mut self, check: &mut Check<'_>, before: Option<&str>, nobodys: bool) -> Kept<()> {
        while let Some(row) = self.take(check, |owner| before.is_none_or(|id| owner.cmp(id) == Ordering::Less))? {
            let examined = balance_transaction(&mut check.told, self.space, &row);
            check.told.readable(examined)?;
            if nobodys {
                let name = named("balance transaction", text(&row[0]).unwrap_or("?"), self.space);
                check.told.fault(format!("{name}: its customer is not there"));
            }
        }
        Ok(())
    }

    /// The next row, if its customer is one of those.
    fn take(&mut self, check: &mut Check<'_>, wanted: impl Fn(&str) -> bool) -> Kept<Option<Row>> {
        loop {
            if self.page.is_empty() {
                let page = check.told.readable(self.walk.next(check.rows))?.unwrap_or_default();
                check.told.summary.balance_transactions += page.len() as u64;
                self.page = page.into();
            }
            let Some(next) = self.page.front() else { return Ok(None) };
            match text(&next[1]) {
                Ok(owner) => return Ok(if wanted(owner) { self.page.pop_front() } else { None }),
                Err(cause) => {
                    check
                        .told
                        .fault(format!("reading whose a balance transaction of account {} is: {cause}", self.space.0));
                    self.page.pop_front();
                }
            }
        }
    }
}

// --- Rows for themselves ---

type Doubt = Box<dyn std::error::Error + Send + Sync>;

fn account(_: &mut Told<'_>, space: Space, row: &Row) -> Kept<()> {
    let doing = || format!("reading account {}", space.0);
    body(row).and_then(|body| Ok(read_account(space, body)?)).map(drop).map_err(|cause| Failure::broken(doing(), cause))
}

fn api_key(_: &mut Told<'_>, space: Space, row: &Row) -> Kept<()> {
    let read = || {
        let [Cell::Bytes(digest), _] = &row[..] else { return Err(NOT_OF_ITS_KIND.into()) };
        let digest = digest[..].try_into().map_err(|_| "its digest has another length")?;
        read_api_key(digest, body(row)?).map(drop).map_err(Doubt::from)
    };
    read().map_err(|cause| Failure::broken(format!("reading an API key of account {}", space.0), cause))
}

fn customer(told: &mut Told<'_>, space: Space, row: &Row) -> Kept<Customer> {
    let (name, doing) = called("customer", &row[0], space)?;
    let customer =
        body(row).and_then(|body| Ok(read_customer(body)?)).map_err(|cause| Failure::broken(doing, cause))?;
    let columns =
        [Cell::Text(customer.id.0.clone()), Cell::Number(customer.created.0), Cell::Flag(customer.deleted.is_some())];
    agree(told, &name, row, &columns);
    if customer.version == 0 {
        told.fault(format!("{name}: its version is not positive"));
    }
    Ok(customer)
}

/// Gives the balance that it left.
fn balance_transaction(told: &mut Told<'_>, space: Space, row: &Row) -> Kept<i64> {
    let (name, doing) = called("balance transaction", &row[0], space)?;
    let read = body(row).and_then(|body| Ok(read_balance_transaction(body)?));
    let transaction = read.map_err(|cause| Failure::broken(doing, cause))?;
    let columns =
        [Cell::Text(transaction.id.0), Cell::Text(transaction.customer.0), Cell::Number(transaction.created.0)];
    agree(told, &name, row, &columns);
    Ok(transaction.ending_balance)
}

fn event(told: &mut Told<'_>, space: Space, row: &Row, expected: &mut i64) -> Kept<()> {
    let (name, doing) = called("event", &row[1], space)?;
    let [Cell::Number(sequence), ..] = row[..] else { return Err(Failure::broken(doing, NOT_OF_ITS_KIND)) };
    if sequence != *expected {
        told.fault(format!("{name}: it has place {sequence}, {expected} was to come"));
    }
    *expected = sequence.saturating_add(1);
    let read = body(row).and_then(|body| Ok(read_event(sequence, body)?));
    let event = read.map_err(|cause| Failure::broken(doing, cause))?;
    let columns = [
        Cell::Number(sequence),
        Cell::Text(event.id.0),
        Cell::Text(event.what.kind().as_str().into()),
        Cell::Number(event.created.0),
        Cell::Text(event.what.object().into()),
    ];
    agree(told, &name, row, &columns);
    Ok(())
}

fn reply(_: &mut Told<'_>, space: Space, row: &Row) -> Kept<()> {
    let read = || {
        let [
            Cell::Text(_),
            Cell::Text(_),
            Cell::Bytes(parameters),
            Cell::Text(_),
            Cell::Number(_),
            Cell::Number(status),
            Cell::Text(headers),
            Cell::Bytes(_),
        ] = &row[..]
        else {
            return Err(NOT_OF_ITS_KIND);
        };
        if parameters.len() != 32 {
            return Err("its digest has another length");
        }
        if u16::try_from(*status).is_err() {
            return Err("its status is out of range");
        }
        let headers: Result<Vec<(String, String)>, _> = serde_json::from_str(headers);
        headers.map(drop).map_err(|_| "its headers are not a list")
    };
    read().map_err(|cause| Failure::broken(format!("reading a kept reply of account {}", space.0), cause))
}

/// Gives what it is.
fn object(told: &mut Told<'_>, space: Space, row: &Row) -> Kept<Facts> {
    let (name, doing) = called("object", &row[1], space)?;
    let facts = facts(row).map_err(|cause| Failure::broken(doing, cause))?;
    let columns = [
        Cell::Text(facts.kind().as_str().to_owned()),
        Cell::Text(facts.key().to_owned()),
        Cell::Number(facts.created().0),
    ];
    agree(told, &name, row, &columns);
    Ok(facts)
}

fn facts(row: &Row) -> Result<Facts, Doubt> {
    let [Cell::Text(kind), Cell::Text(id), Cell::Number(created), Cell::Text(body)] = &row[..] else {
        return Err(NOT_OF_ITS_KIND.into());
    };
    let kind = ObjectKind::named(kind).ok_or("this version does not know its kind")?;
    Ok(read_facts(&Object { kind, id: id.clone(), created: Time(*created), body: body.clone() })?)
}

const NOT_OF_ITS_KIND: &str = "a column is not of its kind";

/// The columns before the body say what the body says.
fn agree(told: &mut Told<'_>, name: &str, row: &Row, columns: &[Cell]) {
    if row[..row.len() - 1] != *columns {
        told.fault(format!("{name}: its columns do not agree with its body"));
    }
}

fn text(cell: &Cell) -> Result<&str, Doubt> {
    match cell {
        Cell::Text(text) => Ok(text),
        Cell::Number(_) | Cell::Bytes(_) | Cell::Flag(_) => Err(NOT_OF_ITS_KIND.into()),
    }
}

/// The text in the last column.
fn body(row: &Row) -> Result<&str, Doubt> {
    row.last().ok_or_else(|| NOT_OF_ITS_KIND.into()).and_then(text)
}

fn named(what: &str, id: &str, space: Space) -> String {
    format!("{what} {id} of account {}", space.0)
}

/// What to call a row of that id, and the reading of it.
fn called(what: &str, id: &Cell, space: Space) -> Kept<(String, String)> {
    let id = text(id).map_err(|cause| Failure::broken(format!("reading a {what} of account {}", space.0), cause))?;
    let name = named(what, id, space);
    let doing = format!("reading {name}");
    Ok((name, doing))
}

mod books;
mod deliveries;
mod holdings;
#[cfg(test)]
mod tests;
