//! Fetches what is wanted, all of it at once: one statement for each kind of row and account, sent one behind the other
//! without waiting for answers.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{BoxFuture, try_join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::connect::Connection;
use super::setback::{Got, Setback};
use super::wants::{Ask, Head, Known, Named, Told, Wants, by_space};
use super::{deliveries, list, statements};
use crate::domain::account::Space;
use crate::domain::api_key::KeyDigest;
use crate::domain::ids::{BalanceTransactionId, CustomerId, DeliveryId, EventId, RequestId, WebhookEndpointId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::store::record::{
    Unreadable, read_account, read_api_key, read_balance_transaction, read_customer, read_delivery, read_event,
};
use crate::store::{Failure, KeptReply, MAX_SHORT_LIST};

/// What is wanted, in statements that are ready to be sent.
pub(super) struct Questions<'w> {
    wants: &'w Wants,
    questions: Vec<Question<'w>>,
}

impl<'w> Questions<'w> {
    /// Prepares every statement: one that were prepared on the way would be sent too late.
    pub async fn prepare(connection: &Connection, wants: &'w Wants) -> Got<Questions<'w>> {
        let Wants {
            heads: _,
            accounts,
            customers,
            marks,
            balance_transactions,
            events,
            replies,
            objects,
            lists,
            api_keys,
            deliveries,
            open,
            queues,
            pages: _,
            alone: _,
        } = wants;
        let mut asked = Vec::new();
        for space in accounts {
            asked.push((statements::ACCOUNT, *space, Names::None));
        }
        for (space, ids) in by_space(pairs(customers)) {
            let mut names = Names::texts(ids, CustomerId::as_str);
            asked.push((names.choose(statements::CUSTOMER_NAMED, statements::CUSTOMERS_NAMED), space, names));
        }
        for (space, marks) in by_space(pairs(marks)) {
            let digests = marks.into_iter().map(Mark::digest).collect();
            asked.push((statements::CUSTOMERS_WITH_TERMS, space, Names::Numbers(digests)));
        }
        for (space, ids) in by_space(pairs(balance_transactions)) {
            let names = Names::texts(ids, BalanceTransactionId::as_str);
            asked.push((statements::BALANCE_TRANSACTIONS_NAMED, space, names));
        }
        for (space, ids) in by_space(pairs(events)) {
            asked.push((statements::EVENTS_NAMED, space, Names::texts(ids, EventId::as_str)));
        }
        for (space, keys) in by_space(pairs(replies)) {
            let mut names = Names::texts(keys, String::as_str);
            asked.push((names.choose(statements::REPLY_NAMED, statements::REPLIES_NAMED), space, names));
        }
        for (space, names) in by_space(pairs(objects)) {
            let (kinds, ids) = names.into_iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
            asked.push((statements::OBJECTS_NAMED, space, Names::Pairs(kinds, ids)));
        }
        for (space, list) in lists {
            asked.push((statements::SHORT_LIST, *space, Names::List(*list)));
        }
        for (space, digests) in by_space(pairs(api_keys)) {
            let names = Names::Digests(digests.into_iter().map(|digest| digest.as_slice()).collect());
            asked.push((statements::API_KEYS_NAMED, space, names));
        }
        for (space, ids) in by_space(pairs(deliveries)) {
            asked.push((statements::DELIVERIES_NAMED, space, Names::texts(ids, DeliveryId::as_str)));
        }
        for (space, events) in by_space(pairs(open)) {
            asked.push((statements::OPEN_DELIVERIES, space, Names::Numbers(events.into_iter().copied().collect())));
        }
        for (space, endpoints) in by_space(pairs(queues)) {
            asked.push((statements::QUEUES_NAMED, space, Names::texts(endpoints, WebhookEndpointId::as_str)));
        }
        let mut questions = Vec::with_capacity(asked.len());
        for (sql, space, names) in asked {
            questions.push(Question { sql, statement: prepared(connection, sql).await?, space, names });
        }
        Ok(Questions { wants, questions })
    }

    /// Sends all of them at once and notes what comes back; walks follow one by one.
    pub async fn ask(&self, connection: &Connection, known: &mut Known) -> Got<()> {
        let asked = try_join_all(self.questions.iter().map(|question| question.ask(connection)));
        let answers = connection.hear(asked).await.unwrap_or_else(|| Err(Setback::late("reading rows")))?;
        for (question, rows) in self.questions.iter().zip(answers) {
            question.note(&rows, known)?;
        }
        let Wants {
            heads: _,
            accounts,
            customers,
            marks,
            balance_transactions,
            events,
            replies,
            objects,
            lists,
            api_keys,
            deliveries,
            open,
            queues,
            pages,
            alone: _,
        } = self.wants;
        missing(&mut known.accounts, accounts);
        missing(&mut known.customers, customers);
        missing(&mut known.marks, marks);
        missing(&mut known.balance_transactions, balance_transactions);
        missing(&mut known.events, events);
        missing(&mut known.replies, replies);
        missing(&mut known.objects, objects);
        missing(&mut known.lists, lists);
        missing(&mut known.api_keys, api_keys);
        missing(&mut known.deliveries, deliveries);
        missing(&mut known.open, open);
        missing(&mut known.queues, queues);
        for ask in pages {
            let told = walk(connection, ask).await?;
            known.pages.push((ask.clone(), told));
        }
        Ok(())
    }
}

/// What was asked for and not found is known to be missing.
fn missing<K: Ord + Clone, V>(known: &mut BTreeMap<K, Option<V>>, asked: &BTreeSet<K>) {
    for key in asked {
        known.entry(key.clone()).or_insert(None);
    }
}

/// Makes everything known that is wanted, but for heads.
pub(super) async fn fetch(connection: &Connection, wants: &Wants, known: &mut Known) -> Got<()> {
    Questions::prepare(connection, wants).await?.ask(connection, known).await
}

async fn walk(connection: &Connection, ask: &Ask) -> Got<Told> {
    Ok(match ask {
        Ask::Accounts => Told::Accounts(list::every_account(connection).await?),
        Ask::ApiKeys => Told::ApiKeys(list::every_api_key(connection).await?),
        Ask::OldReplies(before, most) => Told::OldReplies(list::old_replies(connection, *before, *most).await?),
        Ask::Customers(space, page) => Told::Customers(list::customers(connection, *space, page).await?),
        Ask::Search(space, query, after, limit) => {
            Told::Customers(list::search(connection, *space, query, after.as_ref(), *limit).await?)
        }
        Ask::Count(space, query, most) => Told::Count(list::count(connection, *space, query, *most).await?),
        Ask::BalanceTransactions(space, page) => {
            Told::BalanceTransactions(list::balance_transactions(connection, *space, page).await?)
        }
        Ask::Events(space, page) => Told::Events(list::events(connection, *space, page).await?),
        Ask::EventPlaces(space, after, kinds, most) => {
            Told::EventPlaces(list::event_places(connection, *space, *after, kinds, *most).await?)
        }
        Ask::Objects(space, page) => Told::Objects(list::objects(connection, *space, page).await?),
        Ask::Newest(spaces) => Told::Newest(deliveries::newest(connection, spaces).await?),
        Ask::Deliveries(space, page) => Told::Deliveries(deliveries::page(connection, *space, page).await?),
        Ask::Due(space, endpoint, now, most) => {
            Told::Due(deliveries::due(connection, *space, endpoint, *now, *most).await?)
        }
        Ask::QueuesDue(server, now, most) => {
            Told::QueuesDue(deliveries::queues_due(connection, server, *now, *most).await?)
        }
        Ask::OldDeliveries(before, most) => Told::OldDeliveries(deliveries::old(connection, *before, *most).await?),
    })
}

/// Locks the heads of these accounts, in their order; those that are missing are left out. `lock` is
/// [`statements::LOCK_HEAD`].
pub(super) async fn lock(
    connection: &Connection,
    lock: &Statement,
    spaces: &BTreeSet<Space>,
) -> Got<BTreeMap<Space, Head>> {
    let locking = spaces.iter().map(|space| async { connection.query_opt(lock, &[&space.0]).await });
    let rows = try_join_all(locking).await.map_err(Setback::of("locking an account"))?;
    spaces
        .iter()
        .zip(rows)
        .filter_map(|(space, row)| Some((*space, row?)))
        .map(|(space, row)| Ok((space, head(&row)?)))
        .collect()
}

/// Makes the heads that are missing, and locks them.
pub(super) async fn make_heads(connection: &Connection, missing: &BTreeSet<Space>) -> Got<BTreeMap<Space, Head>> {
    let make = prepared(connection, statements::MAKE_HEAD).await?;
    for space in missing {
        let made = connection.execute(&make, &[&space.0, &i64::MIN]).await;
        made.map_err(Setback::of("making the head of an account"))?;
    }
    lock(connection, &prepared(connection, statements::LOCK_HEAD).await?, missing).await
}

fn head(row: &Row) -> Got<Head> {
    let doing = "locking an account";
    Ok(Head {
        sequence: column(row, 0, doing)?,
        moment: Time(column(row, 1, doing)?),
        turns: column(row, 2, doing)?,
        listeners: column(row, 3, doing)?,
    })
}

/// The names of rows that a statement asks for.
enum Names<'a> {
    None,
    Text(&'a str),
    Texts(Vec<&'a str>),
    Numbers(Vec<i64>),
    Digests(Vec<&'a [u8]>),
    Pairs(Vec<&'a str>, Vec<&'a str>),
    List(List),
}

impl<'a> Names<'a> {
    fn texts<K>(keys: Vec<&'a K>, text: fn(&K) -> &str) -> Names<'a> {
        Names::Texts(keys.into_iter().map(text).collect())
    }

    /// The statement for one name, which is then given as it is and not in an array, or the one for many.
    fn choose(&mut self, one: &'static str, many: &'static str) -> &'static str {
        match self {
            Names::Texts(texts) if texts.len() == 1 => {
                *self = Names::Text(texts[0]);
                one
            }
            Names::None
            | Names::Text(_)
            | Names::Texts(_)
            | Names::Numbers(_)
            | Names::Digests(_)
            | Names::Pairs(..)
            | Names::List(_) => many,
        }
    }
}

/// A statement about rows of one account.
struct Question<'a> {
    sql: &'static str,
    statement: Statement,
    space: Space,
    names: Names<'a>,
}

impl Question<'_> {
    fn ask<'q>(&'q self, connection: &'q Connection) -> BoxFuture<'q, Got<Vec<Row>>> {
        Box::pin(async move {
            let names: &(dyn ToSql + Sync) = match &self.names {
                Names::None => return self.query(connection, &[&self.space.0]).await,
                Names::Text(text) => text,
                Names::Texts(texts) => texts,
                Names::Numbers(numbers) => numbers,
                Names::Digests(digests) => digests,
                Names::Pairs(kinds, ids) => return self.query(connection, &[&self.space.0, kinds, ids]).await,
                Names::List(list) => {
                    let most = i64::try_from(MAX_SHORT_LIST).unwrap_or(i64::MAX);
                    return self.query(connection, &[&self.space.0, &list.0, &most]).await;
                }
            };
            self.query(connection, &[&self.space.0, names]).await
        })
    }

    async fn query(&self, connection: &Connection, parameters: &[&(dyn ToSql + Sync)]) -> Got<Vec<Row>> {
        connection.query(&self.statement, parameters).await.map_err(Setback::of("reading rows"))
    }

    fn note(&self, rows: &[Row], known: &mut Known) -> Got<()> {
        let space = self.space;
        for row in rows {
            match self.sql {
                statements::ACCOUNT => {
                    let account = body(row, 0, "reading an account", |text| read_account(space, text))?;
                    known.accounts.insert(space, Some(account));
                }
                statements::CUSTOMER_NAMED | statements::CUSTOMERS_NAMED => {
                    let doing = "reading a customer";
                    let id = CustomerId(column(row, 0, doing)?);
                    known.customers.insert((space, id), Some(body(row, 1, doing, read_customer)?));
                }
                statements::CUSTOMERS_WITH_TERMS => {
                    let customer = body(row, 0, "looking up a mark", read_customer)?;
                    let marks = customer.marks().map(|mark| ((space, mark), Some(customer.id.clone())));
                    known.marks.extend(marks);
                    known.customers.insert((space, customer.id.clone()), Some(customer));
                }
                statements::BALANCE_TRANSACTIONS_NAMED => {
                    let doing = "reading a balance transaction";
                    let id = BalanceTransactionId(column(row, 0, doing)?);
                    let transaction = body(row, 1, doing, read_balance_transaction)?;
                    known.balance_transactions.insert((space, id), Some(transaction));
                }
                statements::EVENTS_NAMED => {
                    let doing = "reading an event";
                    let (id, sequence) = (EventId(column(row, 0, doing)?), column(row, 1, doing)?);
                    let event = body(row, 2, doing, |text| read_event(sequence, text))?;
                    known.events.insert((space, id), Some(event));
                }
                statements::REPLY_NAMED | statements::REPLIES_NAMED => {
                    let reply = kept_reply(row)?;
                    known.replies.insert((space, reply.key.clone()), Some(reply));
                }
                statements::OBJECTS_NAMED => {
                    let object = object(row)?;
                    known.objects.insert((space, (object.kind, object.id.clone())), Some(object));
                }
                statements::SHORT_LIST => {
                    let Names::List(list) = self.names else { unreachable!("a list is asked for by its digest") };
                    let objects = known.lists.entry((space, list)).or_default().get_or_insert_default();
                    objects.push(object(row)?);
                }
                statements::API_KEYS_NAMED => {
                    let doing = "reading an API key";
                    let digest = digest(row, 0, doing)?;
                    let key = body(row, 1, doing, |text| read_api_key(digest, text))?;
                    known.api_keys.insert((space, digest), Some(key));
                }
                statements::DELIVERIES_NAMED => {
                    let doing = "reading a delivery";
                    let id = DeliveryId(column(row, 0, doing)?);
                    known.deliveries.insert((space, id), Some(body(row, 1, doing, read_delivery)?));
                }
                statements::OPEN_DELIVERIES => {
                    let doing = "counting deliveries";
                    let (event, count): (i64, i64) = (column(row, 0, doing)?, column(row, 1, doing)?);
                    known.open.insert((space, event), usize::try_from(count).ok());
                }
                statements::QUEUES_NAMED => {
                    let queue = deliveries::queue(row)?;
                    known.queues.insert((space, queue.endpoint.clone()), Some(queue));
                }
                other => unreachable!("nothing asks {other}"),
            }
        }
        Ok(())
    }
}

/// The object of a row with its kind, id, moment and body.
pub(super) fn object(row: &Row) -> Got<Object> {
    let doing = "reading an object";
    let kind: &str = column(row, 0, doing)?;
    Ok(Object {
        kind: ObjectKind::named(kind).ok_or_else(|| Failure::broken(doing, "this version does not know its kind"))?,
        id: column(row, 1, doing)?,
        created: Time(column(row, 2, doing)?),
        body: column(row, 3, doing)?,
    })
}

fn kept_reply(row: &Row) -> Got<KeptReply> {
    let doing = "reading a kept reply";
    let refuse = |what: &str| Setback::from(Failure::broken(doing, what));
    let parameters: &[u8] = column(row, 2, doing)?;
    let (status, headers): (i64, &str) = (column(row, 5, doing)?, column(row, 6, doing)?);
    Ok(KeptReply {
        key: column(row, 0, doing)?,
        endpoint: column(row, 1, doing)?,
        parameters: parameters.try_into().map_err(|_| refuse("its digest has another length"))?,
        request: RequestId(column(row, 3, doing)?),
        created: Time(column(row, 4, doing)?),
        status: status.try_into().map_err(|_| refuse("its status is out of range"))?,
        headers: serde_json::from_str(headers).map_err(|_| refuse("its headers are not a list"))?,
        body: column(row, 7, doing)?,
    })
}

/// The digest at `column`.
pub(super) fn digest(row: &Row, at: usize, doing: &'static str) -> Got<KeyDigest> {
    let bytes: &[u8] = column(row, at, doing)?;
    bytes.try_into().map_err(|_| Failure::broken(doing, "its digest has another length").into())
}

/// The value at a column.
pub(super) fn column<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    at: usize,
    doing: &'static str,
) -> Got<T> {
    row.try_get(at).map_err(Setback::of(doing))
}

/// The record in the text at a column.
pub(super) fn body<T>(
    row: &Row,
    at: usize,
    doing: &'static str,
    read: impl FnOnce(&str) -> Result<T, Unreadable>,
) -> Got<T> {
    let text: &str = column(row, at, doing)?;
    read(text).map_err(|cause| Failure::broken(doing, cause).into())
}

/// The statement, prepared once for each connection.
pub(super) async fn prepared(connection: &Connection, sql: &'static str) -> Got<Statement> {
    let doing = "preparing a statement";
    let prepared = connection.hear(connection.prepare_cached(sql)).await.ok_or_else(|| Setback::late(doing))?;
    prepared.map_err(Setback::of(doing))
}

/// What is wanted, with its account apart.
fn pairs<K>(wanted: &Named<K>) -> impl Iterator<Item = (Space, &K)> {
    wanted.iter().map(|(space, name)| (*space, name))
}
