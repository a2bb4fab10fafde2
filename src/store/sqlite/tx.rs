//! One job's transaction within a group: what it changes can be undone without its neighbours.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Params};

use super::files::trouble;
use super::hot::Touched;
use super::{deliveries, objects, reply};
use crate::domain::account::{Account, Space};
use crate::domain::api_key::ApiKey;
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, Queue};
use crate::domain::event::EventKind;
use crate::domain::ids::{CustomerId, DeliveryId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;
use crate::store::record::{
    EventBody, write_account, write_api_key, write_balance_transaction, write_customer, write_event,
};
use crate::store::whole::{copy_sql, held, wipe_sql};
use crate::store::{Failure, Kept, KeptReply, NewEvent, Tx};

/// A transaction on one connection. Whoever made it has begun it, and ends it.
pub(super) struct SqliteTx<'c> {
    pub connection: &'c Connection,
    undo: Undo,
    /// Where the customers that are written are noted; `None` when nothing is to be written.
    /// What the writer notes while it works on a group; a transaction that only reads has none.
    notes: Option<&'c Notes>,
    progress: Progress,
    /// Where the customer that was read last lies, for the write that mostly follows.
    found: Option<(Space, CustomerId, i64)>,
}

/// What the writer notes while it works on a group.
pub(super) struct Notes {
    /// The customers that it writes.
    pub touched: Touched,
    /// The last place in the history of each account that got an event. Forgotten when a job is undone, and with the
    /// group: another process may write between two.
    pub sequences: RefCell<HashMap<Space, i64>>,
    /// The endpoints of accounts that were written to lately.
    pub listeners: Listeners,
}

/// Endpoints as the writer remembers them. Only it changes any.
#[derive(Default)]
pub(super) struct Listeners {
    known: RefCell<HashMap<Space, Arc<[WebhookEndpoint]>>>,
    /// Some were changed since the group began, and the change may be undone.
    changed: Cell<bool>,
}

impl Listeners {
    /// The most accounts whose endpoints are remembered.
    const MOST: usize = 65_536;

    /// Forgets what may not be so any more.
    fn doubt(&self) {
        if self.changed.take() {
            self.known.borrow_mut().clear();
        }
    }

    fn change(&self, space: Space) {
        self.changed.set(true);
        self.known.borrow_mut().remove(&space);
    }

    fn know(&self, space: Space, endpoints: &Arc<[WebhookEndpoint]>) {
        let mut known = self.known.borrow_mut();
        if known.len() >= Listeners::MOST {
            known.clear();
        }
        known.insert(space, endpoints.clone());
    }
}

impl Notes {
    /// Begins a group.
    pub fn clear(&self) {
        self.touched.clear();
        self.sequences.borrow_mut().clear();
        self.listeners.doubt();
    }
}

/// How far back a job that must be undone takes its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// To the beginning of the group. Costs nothing as long as nothing goes wrong.
    Group,
    /// To the beginning of the job: its first write marks the place, and SQLite keeps what later writes replace.
    Job,
}

/// How far a job has come. Reading is free.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Read,
    Wrote,
    Failed,
}

impl<'c> SqliteTx<'c> {
    /// A transaction that writes no customers.
    pub fn new(connection: &'c Connection) -> SqliteTx<'c> {
        SqliteTx { connection, undo: Undo::Group, notes: None, progress: Progress::Read, found: None }
    }

    /// A transaction of the writer, whose writes can be undone so far.
    pub fn writing(connection: &'c Connection, notes: &'c Notes, undo: Undo) -> SqliteTx<'c> {
        SqliteTx { undo, notes: Some(notes), ..SqliteTx::new(connection) }
    }

    /// Whether a write failed: some of it may be done, so that nothing of the job can be kept.
    pub fn failed(&self) -> bool {
        self.progress == Progress::Failed
    }

    /// Keeps the job's writes for the commit of the group. A failure means that the whole group is in doubt.
    pub fn keep(&mut self) -> Kept<()> {
        match (self.progress, self.undo) {
            (Progress::Read, _) | (_, Undo::Group) => Ok(()),
            (Progress::Wrote | Progress::Failed, Undo::Job) => self.end("RELEASE job"),
        }
    }

    /// Undoes the job's writes; `false` when that takes the whole group. A failure means that the group is in doubt.
    pub fn undo(&mut self) -> Kept<bool> {
        match (self.progress, self.undo) {
            (Progress::Read, _) => Ok(true),
            (Progress::Wrote | Progress::Failed, Undo::Group) => Ok(false),
            (Progress::Wrote | Progress::Failed, Undo::Job) => {
                self.end("ROLLBACK TO job")?;
                self.end("RELEASE job")?;
                if let Some(notes) = self.notes {
                    notes.sequences.borrow_mut().clear();
                    notes.listeners.doubt();
                }
                Ok(true)
            }
        }
    }

    /// Notes where the customer lies that was just read.
    pub(super) fn note(&mut self, space: Space, id: &CustomerId, place: i64) {
        self.found = Some((space, id.clone(), place));
    }

    /// The account's endpoints as the writer remembers them.
    pub(super) fn known_endpoints(&self, space: Space) -> Option<Arc<[WebhookEndpoint]>> {
        self.notes?.listeners.known.borrow().get(&space).cloned()
    }

    /// Has the writer remember the account's endpoints.
    pub(super) fn know_endpoints(&self, space: Space, endpoints: &Arc<[WebhookEndpoint]>) {
        if let Some(notes) = self.notes {
            notes.listeners.know(space, endpoints);
        }
    }

    fn place(&self, space: Space, id: &CustomerId) -> Option<i64> {
        self.found.as_ref().filter(|(known, read, _)| *known == space && read == id).map(|(_, _, place)| *place)
    }

    fn note_object(&self, space: Space, object: &Object) {
        if let Some(notes) = self.notes.filter(|_| object.kind == ObjectKind::WebhookEndpoint) {
            notes.listeners.change(space);
        }
    }

    /// Notes that all that an account holds becomes something else.
    fn note_whole(&mut self, space: Space) {
        self.found = None;
        let notes = self.notes.expect("only the writer changes accounts as a whole");
        notes.touched.add_everything();
        notes.sequences.borrow_mut().remove(&space);
        notes.listeners.change(space);
    }

    /// Runs a statement that changes something; gives how many rows it changed.
    pub(super) fn execute(&self, doing: &str, sql: &str, parameters: impl Params) -> Kept<usize> {
        let mut statement = self.connection.prepare_cached(sql).map_err(trouble(doing))?;
        statement.execute(parameters).map_err(trouble(doing))
    }

    fn end(&self, sql: &str) -> Kept<()> {
        self.execute("ending a job", sql, []).map(drop)
    }

    fn write<T>(&mut self, work: impl FnOnce(&SqliteTx<'_>) -> Kept<T>) -> Kept<T> {
        // SQLite may answer an error by rolling everything back. A statement after that would commit by itself.
        if self.connection.is_autocommit() {
            return Err(Failure::passing("writing", "the transaction was rolled back by an earlier error"));
        }
        if self.progress == Progress::Read {
            if self.undo == Undo::Job {
                self.execute("beginning a job", "SAVEPOINT job", [])?;
            }
            self.progress = Progress::Wrote;
        }
        let outcome = work(self);
        if outcome.is_err() {
            self.progress = Progress::Failed;
        }
        outcome
    }
}

impl Tx for SqliteTx<'_> {
    fn wrote(&self) -> bool {
        match self.progress {
            Progress::Read => false,
            Progress::Wrote | Progress::Failed => true,
        }
    }

    fn put_account(&mut self, account: &Account) -> Kept<()> {
        self.write(|tx| {
            let sql = "INSERT INTO accounts (account, body) VALUES (?1, ?2) \
                       ON CONFLICT (account) DO UPDATE SET body = excluded.body";
            tx.execute("writing an account", sql, (account.space.0, write_account(account)))?;
            Ok(())
        })
    }

    fn put_customer(&mut self, space: Space, before: Option<&Customer>, after: &Customer) -> Kept<()> {
        self.notes.expect("only the writer writes customers").touched.add(space, &after.id);
        self.write(|tx| match before {
            None => make_customer(tx, space, after),
            Some(before) => replace_customer(tx, space, before, after),
        })
    }

    fn put_balance_transaction(&mut self, space: Space, transaction: &BalanceTransaction) -> Kept<()> {
        self.write(|tx| {
            // The other columns of a balance transaction never change.
            let sql = "INSERT INTO balance_transactions (account, id, customer, created, body) \
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account, id) DO UPDATE SET body = excluded.body";
            let (id, customer) = (transaction.id.as_str(), transaction.customer.as_str());
            let parameters = (space.0, id, customer, transaction.created.0, write_balance_transaction(transaction));
            tx.execute("writing a balance transaction", sql, parameters)?;
            Ok(())
        })
    }

    fn append(&mut self, space: Space, event: NewEvent<'_>) -> Kept<i64> {
        self.write(|tx| append(tx, space, &event))
    }

    fn put_reply(&mut self, space: Space, reply: &KeptReply) -> Kept<()> {
        self.write(|tx| reply::put(tx, space, reply))
    }

    fn forget_replies(&mut self, space: Space, keys: &[String], before: Time) -> Kept<()> {
        self.write(|tx| reply::forget(tx, space, keys, before))
    }

    fn put_object(&mut self, space: Space, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()> {
        self.note_object(space, object);
        self.write(|tx| objects::put(tx, space, object, was_on, is_on))
    }

    fn remove_object(&mut self, space: Space, object: &Object, was_on: &[List]) -> Kept<()> {
        self.note_object(space, object);
        self.write(|tx| objects::remove(tx, space, object, was_on))
    }

    fn put_delivery(&mut self, space: Space, delivery: &Delivery) -> Kept<()> {
        self.write(|tx| deliveries::put(tx, space, delivery))
    }

    fn put_queue(&mut self, space: Space, queue: &Queue) -> Kept<()> {
        self.write(|tx| deliveries::put_queue(tx, space, queue))
    }

    fn forget_deliveries(&mut self, space: Space, ids: &[DeliveryId]) -> Kept<()> {
        self.write(|tx| deliveries::forget(tx, space, ids))
    }

    fn claim(&mut self, _: &[Space]) -> Kept<()> {
        Ok(())
    }

    fn wipe(&mut self, space: Space) -> Kept<()> {
        self.note_whole(space);
        self.write(|tx| wipe(tx, space))
    }

    fn copy(&mut self, from: Space, to: Space) -> Kept<()> {
        self.note_whole(to);
        self.write(|tx| {
            wipe(tx, to)?;
            held().try_for_each(|table| {
                tx.execute("copying an account", &copy_sql(table, "", "?1", "?2"), (to.0, from.0)).map(drop)
            })
        })
    }

    fn put_api_key(&mut self, space: Space, key: &ApiKey) -> Kept<()> {
        self.write(|tx| {
            let sql = "INSERT INTO api_keys (account, digest, body) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (account, digest) DO UPDATE SET body = excluded.body";
            tx.execute("writing an API key", sql, (space.0, key.digest, write_api_key(key)))?;
            Ok(())
        })
    }
}

fn wipe(tx: &SqliteTx<'_>, space: Space) -> Kept<()> {
    held().try_for_each(|table| tx.execute("emptying an account", &wipe_sql(table, "", "?1"), [space.0]).map(drop))
}

fn make_customer(tx: &SqliteTx<'_>, space: Space, made: &Customer) -> Kept<()> {
    let sql = "INSERT INTO customers (account, id, created, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    let parameters = (space.0, made.id.as_str(), made.created.0, made.deleted.is_some(), write_customer(made));
    tx.execute("making a customer", sql, parameters)?;
    for term in made.term_digests() {
        add_term(tx, space, term, made)?;
    }
    Ok(())
}

fn replace_customer(tx: &SqliteTx<'_>, space: Space, before: &Customer, after: &Customer) -> Kept<()> {
    let doing = "replacing a customer";
    let (id, body) = (after.id.as_str(), write_customer(after));
    // SQLite rewrites the index entries of every column that a statement names, also when its value stays.
    let replaced = if before.created == after.created && before.deleted.is_some() == after.deleted.is_some() {
        match tx.place(space, &after.id) {
            Some(place) => tx.execute(doing, "UPDATE customers SET body = ?2 WHERE rowid = ?1", (place, body))?,
            None => {
                let sql = "UPDATE customers SET body = ?3 WHERE account = ?1 AND id = ?2";
                tx.execute(doing, sql, (space.0, id, body))?
            }
        }
    } else {
        let sql = "UPDATE customers SET created = ?3, deleted = ?4, body = ?5 WHERE account = ?1 AND id = ?2";
        tx.execute(doing, sql, (space.0, id, after.created.0, after.deleted.is_some(), body))?
    };
    if replaced != 1 {
        return Err(Failure::broken(doing, format!("there is no customer {id}")));
    }

    if before.is_found_like(after) {
        return Ok(());
    }
    let moved = before.created != after.created;
    let (old, new) = (before.term_digests(), after.term_digests());
    for term in &old {
        if moved || new.binary_search(term).is_err() {
            remove_term(tx, space, *term, before)?;
        }
    }
    for term in &new {
        if moved || old.binary_search(term).is_err() {
            add_term(tx, space, *term, after)?;
        }
    }
    Ok(())
}

fn add_term(tx: &SqliteTx<'_>, space: Space, term: i64, customer: &Customer) -> Kept<()> {
    let sql = "INSERT INTO customer_terms (account, term, created, id) VALUES (?1, ?2, ?3, ?4)";
    tx.execute("adding a term", sql, (space.0, term, customer.created.0, customer.id.as_str()))?;
    Ok(())
}

fn remove_term(tx: &SqliteTx<'_>, space: Space, term: i64, customer: &Customer) -> Kept<()> {
    let sql = "DELETE FROM customer_terms WHERE account = ?1 AND term = ?2 AND created = ?3 AND id = ?4";
    tx.execute("removing a term", sql, (space.0, term, customer.created.0, customer.id.as_str()))?;
    Ok(())
}

fn append(tx: &SqliteTx<'_>, space: Space, event: &NewEvent<'_>) -> Kept<i64> {
    let NewEvent { id, created, cause, what } = event;
    let doing = "appending an event";
    let notes = tx.notes.expect("only the writer appends events");
    let noted = notes.sequences.borrow().get(&space).copied();
    let last = match noted {
        Some(last) => Some(last),
        None => {
            let last = "SELECT seq FROM events WHERE account = ?1 ORDER BY seq DESC LIMIT 1";
            tx.find(doing, last, [space.0], |row| row.get::<_, i64>(0).map_err(trouble(doing)))?
        }
    };
    let sequence = last.unwrap_or(0) + 1;
    let kind: EventKind = what.kind();
    let body = write_event(EventBody { id, created: *created, cause, what });
    let sql = "INSERT INTO events (account, seq, id, kind, created, object, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let parameters = (space.0, sequence, id.as_str(), kind.as_str(), created.0, what.object(), body);
    tx.execute(doing, sql, parameters)?;
    notes.sequences.borrow_mut().insert(space, sequence);
    Ok(sequence)
}
