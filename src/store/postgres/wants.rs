//! What looks and jobs ask for, what is known of it, and reading from what is known. A database is a round trip away: so
//! the code that reads runs against what is known, what it lacks is noted and fetched for many of them at once, and it
//! runs again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::setback::lacking;
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, DeliveryPage, Queue};
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::{BalanceTransactionId, CustomerId, DeliveryId, EventId, WebhookEndpointId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{BalancePage, CustomerPage, EventPage, ObjectPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;
use crate::store::{Kept, KeptReply, Read, endpoints_among};

/// Rows of one kind that are wanted, by account and name.
pub(super) type Named<K> = BTreeSet<(Space, K)>;

/// The items of each account, which come account by account.
pub(super) fn by_space<T>(items: impl Iterator<Item = (Space, T)>) -> Vec<(Space, Vec<T>)> {
    let mut groups: Vec<(Space, Vec<T>)> = Vec::new();
    for (space, item) in items {
        match groups.last_mut() {
            Some((last, group)) if *last == space => group.push(item),
            Some(_) | None => groups.push((space, vec![item])),
        }
    }
    groups
}

/// What is asked for and not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wants {
    /// Accounts to be locked.
    pub heads: BTreeSet<Space>,
    pub accounts: BTreeSet<Space>,
    pub customers: Named<CustomerId>,
    pub marks: Named<Mark>,
    pub balance_transactions: Named<BalanceTransactionId>,
    pub events: Named<EventId>,
    pub replies: Named<String>,
    pub objects: Named<(ObjectKind, String)>,
    pub lists: Named<List>,
    pub api_keys: Named<KeyDigest>,
    pub deliveries: Named<DeliveryId>,
    /// Events of which the open deliveries are counted.
    pub open: Named<i64>,
    pub queues: Named<WebhookEndpointId>,
    pub pages: Vec<Ask>,
    /// Accounts are changed as a whole, which no other job may be beside.
    pub alone: bool,
}

impl Wants {
    pub fn is_empty(&self) -> bool {
        *self == Wants::default()
    }

    /// Takes over what another one wants.
    pub fn absorb(&mut self, other: Wants) {
        let Wants {
            heads,
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
            alone,
        } = other;
        self.alone |= alone;
        self.heads.extend(heads);
        self.accounts.extend(accounts);
        self.customers.extend(customers);
        self.marks.extend(marks);
        self.balance_transactions.extend(balance_transactions);
        self.events.extend(events);
        self.replies.extend(replies);
        self.objects.extend(objects);
        self.lists.extend(lists);
        self.api_keys.extend(api_keys);
        self.deliveries.extend(deliveries);
        self.open.extend(open);
        self.queues.extend(queues);
        for page in pages {
            self.ask(page);
        }
    }

    /// Wants a page.
    pub fn ask(&mut self, page: Ask) {
        if !self.pages.contains(&page) {
            self.pages.push(page);
        }
    }
}

/// What takes a walk along an index.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    Accounts,
    ApiKeys,
    OldReplies(Time, usize),
    Customers(Space, CustomerPage),
    Search(Space, Query, Option<Place>, usize),
    Count(Space, Query, usize),
    BalanceTransactions(Space, BalancePage),
    Events(Space, EventPage),
    EventPlaces(Space, i64, Vec<EventKind>, usize),
    Objects(Space, ObjectPage),
    Newest(Vec<Space>),
    Deliveries(Space, DeliveryPage),
    Due(Space, WebhookEndpointId, Time, usize),
    QueuesDue(String, Time, usize),
    OldDeliveries(Time, usize),
}

/// What a walk gave.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Accounts(Vec<Account>),
    ApiKeys(Vec<ApiKey>),
    OldReplies(Vec<(Space, String)>),
    Customers(Page<Customer>),
    Count(usize),
    BalanceTransactions(Page<BalanceTransaction>),
    Events(Page<Event>),
    EventPlaces(Vec<i64>),
    Objects(Page<Object>),
    Newest(Vec<i64>),
    Deliveries(Page<Delivery>),
    Due(Vec<Delivery>),
    QueuesDue(Vec<(Space, Queue)>),
    OldDeliveries(Vec<(Space, DeliveryId)>),
}

/// The locked head of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The place of its newest event.
    pub sequence: i64,
    /// When it was written to last.
    pub moment: Time,
    /// Who wrote last.
    pub turns: String,
    /// Another number after each change of the account's webhook endpoints; 0 before the first.
    pub listeners: i64,
}

impl Head {
    /// As a server finds it that is going to write. Where another one wrote last, in this very millisecond maybe, the next
    /// moment has to be a later one: within one, only the ids of one server follow each other.
    pub fn found_by(mut self, server: &str) -> Head {
        if !self.turns.starts_with(server) {
            self.moment = self.moment.plus_millis(1);
        }
        self
    }
}

type Rows<K, V> = BTreeMap<(Space, K), Option<V>>;

/// What is known of the database; a row that is known to be missing is `None`.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub heads: BTreeMap<Space, Head>,
    pub accounts: BTreeMap<Space, Option<Account>>,
    pub customers: Rows<CustomerId, Customer>,
    pub marks: Rows<Mark, CustomerId>,
    pub balance_transactions: Rows<BalanceTransactionId, BalanceTransaction>,
    pub events: Rows<EventId, Event>,
    pub replies: Rows<String, KeptReply>,
    pub objects: Rows<(ObjectKind, String), Object>,
    pub lists: Rows<List, Vec<Object>>,
    pub api_keys: Rows<KeyDigest, ApiKey>,
    pub deliveries: Rows<DeliveryId, Delivery>,
    pub open: Rows<i64, usize>,
    pub queues: Rows<WebhookEndpointId, Queue>,
    pub pages: Vec<(Ask, Told)>,
}

impl Known {
    /// Gives a look those of the rows that it wants.
    pub fn share(&self, scene: &mut Scene) {
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
        } = &scene.wants;
        let known = &mut scene.known;
        copy(&self.accounts, accounts, &mut known.accounts);
        copy(&self.customers, customers, &mut known.customers);
        copy(&self.marks, marks, &mut known.marks);
        copy(&self.balance_transactions, balance_transactions, &mut known.balance_transactions);
        copy(&self.events, events, &mut known.events);
        copy(&self.replies, replies, &mut known.replies);
        copy(&self.objects, objects, &mut known.objects);
        copy(&self.lists, lists, &mut known.lists);
        copy(&self.api_keys, api_keys, &mut known.api_keys);
        copy(&self.deliveries, deliveries, &mut known.deliveries);
        copy(&self.open, open, &mut known.open);
        copy(&self.queues, queues, &mut known.queues);
        known.pages.extend(self.pages.iter().filter(|(ask, _)| pages.contains(ask)).cloned());
    }
}

fn copy<K: Ord + Clone, V: Clone>(from: &BTreeMap<K, Option<V>>, keys: &BTreeSet<K>, to: &mut BTreeMap<K, Option<V>>) {
    to.extend(keys.iter().filter_map(|key| Some((key.clone(), from.get(key)?.clone()))));
}

/// The row of that key as it is known, or noted as wanted.
pub(super) fn find<K: Ord, V: Clone>(
    known: &BTreeMap<K, Option<V>>,
    wanted: &mut BTreeSet<K>,
    key: K,
) -> Kept<Option<V>> {
    if let Some(row) = known.get(&key) {
        return Ok(row.clone());
    }
    wanted.insert(key);
    Err(lacking())
}

/// Whether a text can be in the database at all: PostgreSQL's texts hold no NUL.
pub(super) fn can_be_kept(text: &str) -> bool {
    !text.contains('\0')
}

/// Reads from what is known, and notes what is not.
#[derive(Default)]
pub(super) struct Scene {
    pub known: Known,
    pub wants: Wants,
}

impl Scene {
    fn page<T>(&mut self, ask: Ask, open: impl Fn(&Told) -> Option<T>) -> Kept<T> {
        match self.known.pages.iter().find(|(asked, _)| *asked == ask) {
            Some((_, told)) => Ok(open(told).expect("a question is answered in kind")),
            None => {
                self.wants.ask(ask);
                Err(lacking())
            }
        }
    }
}

/// The part of an answer that a question of that kind asks for.
macro_rules! told {
    ($kind:ident) => {
        |told| match told {
            Told::$kind(answer) => Some(answer.clone()),
            _ => None,
        }
    };
}

impl Read for Scene {
    fn account(&mut self, space: Space) -> Kept<Option<Account>> {
        find(&self.known.accounts, &mut self.wants.accounts, space)
    }

    fn accounts(&mut self) -> Kept<Vec<Account>> {
        self.page(Ask::Accounts, told!(Accounts))
    }

    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        find(&self.known.customers, &mut self.wants.customers, (space, id.clone()))
    }

    fn customers(&mut self, space: Space, page: &CustomerPage) -> Kept<Page<Customer>> {
        self.page(Ask::Customers(space, page.clone()), told!(Customers))
    }

    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>> {
        self.page(Ask::Search(space, query.clone(), after.cloned(), limit), told!(Customers))
    }

    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize> {
        self.page(Ask::Count(space, query.clone(), most), told!(Count))
    }

    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>> {
        find(&self.known.marks, &mut self.wants.marks, (space, mark.clone()))
    }

    fn balance_transaction(
        &mut self,
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        let (known, wants) = (&self.known.balance_transactions, &mut self.wants.balance_transactions);
        let found = find(known, wants, (space, id.clone()))?;
        Ok(found.filter(|transaction| transaction.customer == *customer))
    }

    fn balance_transactions(&mut self, space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>> {
        self.page(Ask::BalanceTransactions(space, page.clone()), told!(BalanceTransactions))
    }

    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        find(&self.known.events, &mut self.wants.events, (space, id.clone()))
    }

    fn events(&mut self, space: Space, page: &EventPage) -> Kept<Page<Event>> {
        self.page(Ask::Events(space, page.clone()), told!(Events))
    }

    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>> {
        self.page(Ask::EventPlaces(space, after, kinds.to_vec(), most), told!(EventPlaces))
    }

    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
        self.page(Ask::Newest(spaces.to_vec()), told!(Newest))
    }

    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
        endpoints_among(&self.short_list(space, List::all(ObjectKind::WebhookEndpoint))?)
    }

    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        find(&self.known.deliveries, &mut self.wants.deliveries, (space, id.clone()))
    }

    fn deliveries(&mut self, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>> {
        self.page(Ask::Deliveries(space, page.clone()), told!(Deliveries))
    }

    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize> {
        Ok(find(&self.known.open, &mut self.wants.open, (space, event))?.unwrap_or_default())
    }

    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>> {
        self.page(Ask::Due(space, endpoint.clone(), now, most), told!(Due))
    }

    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
        if !can_be_kept(endpoint.as_str()) {
            return Ok(None);
        }
        find(&self.known.queues, &mut self.wants.queues, (space, endpoint.clone()))
    }

    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
        self.page(Ask::QueuesDue(server.to_owned(), now, most), told!(QueuesDue))
    }

    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
        self.page(Ask::OldDeliveries(before, most), told!(OldDeliveries))
    }

    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>> {
        if !can_be_kept(key) {
            return Ok(None);
        }
        find(&self.known.replies, &mut self.wants.replies, (space, key.to_owned()))
    }

    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
        self.page(Ask::OldReplies(before, most), told!(OldReplies))
    }

    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
        if !can_be_kept(id) {
            return Ok(None);
        }
        find(&self.known.objects, &mut self.wants.objects, (space, (kind, id.to_owned())))
    }

    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>> {
        Ok(find(&self.known.lists, &mut self.wants.lists, (space, list))?.unwrap_or_default())
    }

    fn objects(&mut self, space: Space, page: &ObjectPage) -> Kept<Page<Object>> {
        self.page(Ask::Objects(space, page.clone()), told!(Objects))
    }

    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
        find(&self.known.api_keys, &mut self.wants.api_keys, (space, *digest))
    }

    fn api_keys(&mut self) -> Kept<Vec<ApiKey>> {
        self.page(Ask::ApiKeys, told!(ApiKeys))
    }
}
