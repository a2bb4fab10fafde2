//! Sends what a group wants written: one statement for each kind of change and account, one behind the other.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::changes::{Changes, CustomerChange, EventRow, ObjectChange};
use super::connect::Connection;
use super::fetch::prepared;
use super::setback::{Got, Setback};
use super::statements;
use super::wants::by_space;
use super::whole::{COPY, WIPE, Whole};
use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::domain::delivery::Queue;
use crate::domain::ids::DeliveryId;
use crate::domain::object::{List, Object};
use crate::domain::time::Time;
use crate::store::record::{write_account, write_api_key, write_balance_transaction, write_customer, write_delivery};
use crate::store::{Failure, moment};

type Parameter<'c> = Box<dyn ToSql + Sync + Send + 'c>;

/// Statements that are ready to be sent.
pub(super) struct Flush<'c> {
    writes: Vec<Write<'c>>,
}

struct Write<'c> {
    doing: &'static str,
    sql: &'static str,
    space: Space,
    parameters: Vec<Parameter<'c>>,
    /// How many rows it must change, when that is known.
    expected: Option<u64>,
}

impl<'c> Flush<'c> {
    /// What has to be sent for these changes.
    pub fn of(changes: &'c Changes) -> Flush<'c> {
        let Changes {
            heads,
            accounts,
            customers,
            balance_transactions,
            events,
            replies,
            objects,
            forgotten,
            api_keys,
            deliveries,
            forgotten_deliveries,
            queues,
            called,
            wholes,
        } = changes;
        let mut flush = Flush { writes: Vec::new() };
        for (space, whole) in wholes {
            flush.whole(*space, *whole);
        }
        for (space, account) in accounts {
            let parameters: Vec<Parameter<'_>> = vec![Box::new(write_account(account))];
            flush.add("writing an account", statements::PUT_ACCOUNT, *space, parameters);
        }
        for (space, keys) in of_each(api_keys) {
            let parameters: Vec<Parameter<'_>> =
                vec![Box::new(column(&keys, |key| key.digest.to_vec())), Box::new(column(&keys, write_api_key))];
            flush.add("writing API keys", statements::PUT_API_KEYS, space, parameters);
        }
        for (space, changes) in of_each(customers) {
            flush.customers(space, &changes);
        }
        for (space, transactions) in of_each(balance_transactions) {
            let parameters: Vec<Parameter<'_>> = vec![
                Box::new(column(&transactions, |transaction| transaction.id.as_str())),
                Box::new(column(&transactions, |transaction| transaction.customer.as_str())),
                Box::new(column(&transactions, |transaction| transaction.created.0)),
                Box::new(column(&transactions, write_balance_transaction)),
            ];
            flush.add("writing balance transactions", statements::PUT_BALANCE_TRANSACTIONS, space, parameters);
        }
        for (space, changes) in of_each(objects) {
            flush.objects(space, &changes);
        }
        for (space, rows) in events {
            flush.events(*space, rows);
        }
        for (space, deliveries) in of_each(deliveries) {
            let parameters: Vec<Parameter<'_>> = vec![
                Box::new(column(&deliveries, |delivery| delivery.id.as_str())),
                Box::new(column(&deliveries, |delivery| delivery.endpoint.as_str())),
                Box::new(column(&deliveries, |delivery| delivery.sequence)),
                Box::new(column(&deliveries, |delivery| delivery.state.as_str())),
                Box::new(column(&deliveries, |delivery| moment(delivery.due))),
                Box::new(column(&deliveries, |delivery| delivery.created.0)),
                Box::new(column(&deliveries, write_delivery)),
            ];
            flush.add("writing deliveries", statements::PUT_DELIVERIES, space, parameters);
        }
        for (space, ids) in forgotten_deliveries {
            let ids: Vec<&str> = ids.iter().map(DeliveryId::as_str).collect();
            flush.add("forgetting old deliveries", statements::FORGET_DELIVERIES, *space, vec![Box::new(ids)]);
        }
        for (space, queues) in of_each(queues) {
            flush.queues(space, &queues);
        }
        for (space, calls) in by_space(called.iter().map(|((space, endpoint), due)| (*space, (endpoint, due)))) {
            let (endpoints, due): (Vec<&str>, Vec<i64>) =
                calls.into_iter().map(|(endpoint, due)| (endpoint.as_str(), due.0)).unzip();
            let parameters: Vec<Parameter<'_>> = vec![Box::new(endpoints), Box::new(due)];
            flush.add("calling queues", statements::CALL_QUEUES, space, parameters);
        }
        for (space, keys, before) in forgotten {
            let parameters: Vec<Parameter<'_>> = vec![Box::new(keys), Box::new(before.0)];
            flush.add("forgetting old replies", statements::FORGET_REPLIES, *space, parameters);
        }
        for (space, replies) in of_each(replies) {
            let headers =
                |headers: &Vec<(String, String)>| serde_json::to_string(headers).expect("texts can be written as JSON");
            let parameters: Vec<Parameter<'_>> = vec![
                values(&replies, |reply| reply.key.as_str()),
                values(&replies, |reply| reply.endpoint.as_str()),
                values(&replies, |reply| reply.parameters.as_slice()),
                values(&replies, |reply| reply.request.as_str()),
                values(&replies, |reply| reply.created.0),
                values(&replies, |reply| i64::from(reply.status)),
                values(&replies, |reply| headers(&reply.headers)),
                values(&replies, |reply| reply.body.as_slice()),
            ];
            let sql = choose(&replies, statements::PUT_REPLY, statements::PUT_REPLIES);
            flush.add("keeping replies", sql, space, parameters);
        }
        for (space, head) in heads {
            let parameters: Vec<Parameter<'_>> =
                vec![Box::new(head.sequence), Box::new(head.moment.0), Box::new(&head.turns), Box::new(head.listeners)];
            flush.add("writing the head of an account", statements::SAVE_HEAD, *space, parameters);
        }
        flush
    }

    fn add(&mut self, doing: &'static str, sql: &'static str, space: Space, parameters: Vec<Parameter<'c>>) {
        self.writes.push(Write { doing, sql, space, parameters, expected: None });
    }

    fn queues(&mut self, space: Space, queues: &[&'c Queue]) {
        let owner = |queue: &'c Queue| queue.lease.as_ref().map_or("", |lease| lease.owner.as_str());
        let leased = |queue: &Queue| queue.lease.as_ref().map_or(0, |lease| lease.until.0);
        let parameters: Vec<Parameter<'_>> = vec![
            Box::new(column(queues, |queue| queue.endpoint.as_str())),
            Box::new(column(queues, |queue| moment(queue.due))),
            Box::new(column(queues, owner)),
            Box::new(column(queues, leased)),
            Box::new(column(queues, |queue| moment(queue.failing_since))),
        ];
        self.add("writing queues", statements::PUT_QUEUES, space, parameters);
    }

    fn whole(&mut self, space: Space, whole: Whole) {
        WIPE.iter().for_each(|sql| self.add("emptying an account", sql, space, Vec::new()));
        if let Whole::CopyOf(from) = whole {
            COPY.iter().for_each(|sql| self.add("copying an account", sql, space, vec![Box::new(from.0)]));
        }
    }

    fn customers(&mut self, space: Space, changes: &[&'c CustomerChange]) {
        let (replaced, made): (Vec<&CustomerChange>, Vec<&CustomerChange>) =
            changes.iter().partition(|change| change.before.is_some());
        let replace = choose(&replaced, statements::REPLACE_CUSTOMER, statements::REPLACE_CUSTOMERS);
        let make = choose(&made, statements::MAKE_CUSTOMER, statements::MAKE_CUSTOMERS);
        for (doing, sql, changes) in [("making customers", make, made), ("replacing customers", replace, replaced)] {
            if changes.is_empty() {
                continue;
            }
            let parameters: Vec<Parameter<'_>> = vec![
                values(&changes, |change| change.after.id.as_str()),
                values(&changes, |change| change.after.created.0),
                values(&changes, |change| change.after.deleted.is_some()),
                values(&changes, |change| write_customer(&change.after)),
            ];
            let expected = Some(changes.len() as u64);
            self.writes.push(Write { doing, sql, space, parameters, expected });
        }
        let (mut gone, mut new) = (Terms::default(), Terms::default());
        for CustomerChange { before, after } in changes {
            let Some(before) = before else {
                after.term_digests().into_iter().for_each(|term| new.add(term, after));
                continue;
            };
            if before.is_found_like(after) {
                continue;
            }
            let moved = before.created != after.created;
            let (old_terms, new_terms) = (before.term_digests(), after.term_digests());
            let left = old_terms.iter().filter(|term| moved || new_terms.binary_search(term).is_err());
            left.for_each(|term| gone.add(*term, before));
            let joined = new_terms.iter().filter(|term| moved || old_terms.binary_search(term).is_err());
            joined.for_each(|term| new.add(*term, after));
        }
        for (doing, sql, terms) in
            [("removing terms", statements::REMOVE_TERMS, gone), ("adding terms", statements::ADD_TERMS, new)]
        {
            if !terms.terms.is_empty() {
                let parameters: Vec<Parameter<'_>> =
                    vec![Box::new(terms.terms), Box::new(terms.created), Box::new(terms.ids)];
                self.add(doing, sql, space, parameters);
            }
        }
    }

    fn objects(&mut self, space: Space, changes: &[&'c ObjectChange]) {
        let (removed, put): (Vec<&ObjectChange>, Vec<&ObjectChange>) =
            changes.iter().partition(|change| change.removed);
        if !removed.is_empty() {
            let parameters: Vec<Parameter<'_>> = vec![
                Box::new(column(&removed, |change| change.object.kind.as_str())),
                Box::new(column(&removed, |change| change.object.id.as_str())),
            ];
            self.add("removing objects", statements::REMOVE_OBJECTS, space, parameters);
        }
        if !put.is_empty() {
            let parameters: Vec<Parameter<'_>> = vec![
                Box::new(column(&put, |change| change.object.kind.as_str())),
                Box::new(column(&put, |change| change.object.id.as_str())),
                Box::new(column(&put, |change| change.object.created.0)),
                Box::new(column(&put, |change| change.object.body.as_str())),
            ];
            self.add("writing objects", statements::PUT_OBJECTS, space, parameters);
        }
        let places = |these: fn(&ObjectChange) -> Vec<(List, Time)>, others: fn(&ObjectChange) -> Vec<(List, Time)>| {
            let places = changes.iter().flat_map(|change| {
                let others = others(change);
                let places = these(change).into_iter().filter(move |place| !others.contains(place));
                places.map(|(list, created)| (list.0, created.0, &change.object))
            });
            places.collect::<Vec<(i64, i64, &Object)>>()
        };
        let (left, joined) =
            (places(ObjectChange::was_at, ObjectChange::is_at), places(ObjectChange::is_at, ObjectChange::was_at));
        for (doing, sql, places) in [
            ("taking objects off lists", statements::LEAVE_LISTS, left),
            ("putting objects on lists", statements::JOIN_LISTS, joined),
        ] {
            if places.is_empty() {
                continue;
            }
            let mut parameters: Vec<Parameter<'_>> = vec![
                Box::new(places.iter().map(|(list, _, _)| *list).collect::<Vec<_>>()),
                Box::new(places.iter().map(|(_, created, _)| *created).collect::<Vec<_>>()),
                Box::new(places.iter().map(|(_, _, object)| object.id.as_str()).collect::<Vec<_>>()),
            ];
            if sql == statements::JOIN_LISTS {
                parameters.push(Box::new(places.iter().map(|(_, _, object)| object.kind.as_str()).collect::<Vec<_>>()));
            }
            self.add(doing, sql, space, parameters);
        }
    }

    fn events(&mut self, space: Space, rows: &'c [EventRow]) {
        let rows: Vec<&EventRow> = rows.iter().collect();
        let parameters: Vec<Parameter<'_>> = vec![
            values(&rows, |row| row.sequence),
            values(&rows, |row| row.id.as_str()),
            values(&rows, |row| row.kind),
            values(&rows, |row| row.created.0),
            values(&rows, |row| row.object.as_str()),
            values(&rows, |row| row.body.as_str()),
        ];
        let sql = choose(&rows, statements::APPEND_EVENT, statements::APPEND_EVENTS);
        self.add("appending events", sql, space, parameters);
    }

    /// Prepares every statement: one that were prepared on the way would be sent behind the others.
    pub async fn prepare(&self, connection: &Connection) -> Got<Vec<Statement>> {
        let mut statements = Vec::with_capacity(self.writes.len());
        for write in &self.writes {
            statements.push(prepared(connection, write.sql).await?);
        }
        Ok(statements)
    }

    /// Sends all of them at once.
    pub async fn send(&self, connection: &Connection, statements: &[Statement]) -> Got<()> {
        try_join_all(self.writes.iter().zip(statements).map(|(write, statement)| write.send(connection, statement)))
            .await?;
        Ok(())
    }
}

impl Write<'_> {
    async fn send(&self, connection: &Connection, statement: &Statement) -> Got<()> {
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&self.space.0];
        parameters.extend(self.parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)));
        let changed = connection.execute(statement, &parameters).await.map_err(Setback::of(self.doing))?;
        match self.expected {
            Some(expected) if changed != expected => {
                Err(Failure::broken(self.doing, format!("{changed} rows of {expected} were there")).into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[derive(Default)]
struct Terms<'c> {
    terms: Vec<i64>,
    created: Vec<i64>,
    ids: Vec<&'c str>,
}

impl<'c> Terms<'c> {
    fn add(&mut self, term: i64, customer: &'c Customer) {
        self.terms.push(term);
        self.created.push(customer.created.0);
        self.ids.push(customer.id.as_str());
    }
}

/// The rows of each account.
fn of_each<K, V>(rows: &BTreeMap<(Space, K), V>) -> Vec<(Space, Vec<&V>)> {
    by_space(rows.iter().map(|((space, _), row)| (*space, row)))
}

/// One column of rows.
fn column<'c, R, T>(rows: &[&'c R], value: impl Fn(&'c R) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}

/// The statement for one row, or the one for many.
fn choose<R>(rows: &[&R], one: &'static str, many: &'static str) -> &'static str {
    if rows.len() == 1 { one } else { many }
}

/// One column of rows, for the statement that [`choose`] gives: a value, or an array of them.
fn values<'c, R, T: ToSql + Sync + Send + 'c>(rows: &[&'c R], value: impl Fn(&'c R) -> T) -> Parameter<'c> {
    match rows {
        [row] => Box::new(value(row)),
        rows => Box::new(column(rows, value)),
    }
}
