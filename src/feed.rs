//! Who waits for news of an account: woken when something was written for it, by this server as soon as that is kept, by
//! another one when a look finds it. A wake-up carries nothing: whoever is woken looks for himself.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::domain::account::{Account, Space};
use crate::domain::event::{Event, EventKind};
use crate::store::{Failure, Kept, Store};

/// How often the store is asked whether another server has written for an account that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Tells an event in a dialect's words, for whoever passes it on without knowing the dialect.
pub trait RenderEvent: Send + Sync {
    /// Whether the dialect has words for such an event.
    fn tells(&self, kind: EventKind) -> bool;
    /// Whether there is a version of that name.
    fn knows(&self, version: &str) -> bool;
    /// The event as JSON, in the version of that name, or in the account's when there is none, with so many webhooks that
    /// were not delivered yet.
    fn render(&self, event: &Event, account: &Account, version: Option<&str>, pending: usize) -> Vec<u8>;
}

/// Several dialects, the first of which tells what it has words for, the next one what is left, and so on.
pub struct Tellers(pub Vec<Arc<dyn RenderEvent>>);

impl RenderEvent for Tellers {
    fn tells(&self, kind: EventKind) -> bool {
        self.0.iter().any(|teller| teller.tells(kind))
    }

    fn knows(&self, version: &str) -> bool {
        self.0.iter().any(|teller| teller.knows(version))
    }

    fn render(&self, event: &Event, account: &Account, version: Option<&str>, pending: usize) -> Vec<u8> {
        let teller = self.0.iter().find(|teller| teller.tells(event.what.kind()));
        teller.map_or_else(Vec::new, |teller| teller.render(event, account, version, pending))
    }
}

/// Who waits, account by account.
#[derive(Default)]
pub struct Feed {
    /// How many wait in all, so that a writer sees at a glance that nobody does.
    waiting: AtomicUsize,
    accounts: Mutex<HashMap<Space, Waiting>>,
}

/// Who waits for one account.
struct Waiting {
    wake: watch::Sender<()>,
    /// How many.
    count: usize,
    /// The place of the newest event, as a look at the store found it.
    newest: Option<i64>,
}

impl Feed {
    /// Waits for news of an account from now on. Whoever subscribes before he looks misses nothing.
    pub fn subscribe(self: &Arc<Feed>, space: Space) -> Subscription {
        let mut accounts = self.accounts.lock();
        let waiting =
            accounts.entry(space).or_insert_with(|| Waiting { wake: watch::Sender::new(()), count: 0, newest: None });
        waiting.count += 1;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Subscription { woken: waiting.wake.subscribe(), feed: self.clone(), space }
    }

    /// Whether anybody waits for anything. A writer asks after its commit: whoever subscribes later sees what it wrote.
    pub fn is_followed(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Wakes those who wait for the account.
    pub fn wake(&self, space: Space) {
        if let Some(waiting) = self.accounts.lock().get(&space) {
            waiting.wake.send_replace(());
        }
    }

    /// Wakes those who wait for accounts that another server has written for, as long as it runs: for a store that others
    /// write to as well. Nothing is asked while nobody waits.
    pub async fn watch(self: Arc<Feed>, store: Arc<dyn Store>) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut well = true;
        loop {
            every.tick().await;
            let spaces: Vec<Space> = self.accounts.lock().keys().copied().collect();
            if spaces.is_empty() {
                continue;
            }
            match newest(store.clone(), spaces).await {
                Ok(found) => {
                    well = true;
                    self.compare(&found);
                }
                Err(failure) => {
                    // Once, not four times a second.
                    if std::mem::take(&mut well) {
                        tracing::warn!("looking for what other servers wrote: {failure}");
                    }
                }
            }
        }
    }

    /// Wakes those who wait for an account of which the newest event is another than before.
    fn compare(&self, found: &[(Space, i64)]) {
        let mut accounts = self.accounts.lock();
        for (space, newest) in found {
            if let Some(waiting) = accounts.get_mut(space)
                && waiting.newest.replace(*newest) != Some(*newest)
            {
                waiting.wake.send_replace(());
            }
        }
    }
}

async fn newest(store: Arc<dyn Store>, spaces: Vec<Space>) -> Kept<Vec<(Space, i64)>> {
    let looked = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        store.read(&mut |read| {
            found = read.newest(&spaces)?;
            Ok(())
        })?;
        Ok(spaces.into_iter().zip(found).collect())
    });
    looked.await.unwrap_or_else(|panic| Err(Failure::broken("looking for the newest events", panic)))
}

/// Somebody who waits for news of an account, until it is dropped.
pub struct Subscription {
    woken: watch::Receiver<()>,
    feed: Arc<Feed>,
    space: Space,
}

impl Subscription {
    /// Waits until there may be news since the last time, or since the subscription.
    pub async fn news(&mut self) {
        let woken = self.woken.changed().await;
        woken.expect("an account that somebody waits for is kept");
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut accounts = self.feed.accounts.lock();
        self.feed.waiting.fetch_sub(1, Ordering::SeqCst);
        if let Entry::Occupied(mut waiting) = accounts.entry(self.space) {
            waiting.get_mut().count -= 1;
            if waiting.get().count == 0 {
                waiting.remove();
            }
        }
    }
}

/// Which accounts have something to be sent to their webhook endpoints, as far as this server has put it there.
#[derive(Default)]
pub struct Mailbox {
    spaces: Mutex<HashSet<Space>>,
    filled: Notify,
}

impl Mailbox {
    /// Notes that an account has something.
    pub fn put(&self, space: Space) {
        if self.spaces.lock().insert(space) {
            self.filled.notify_one();
        }
    }

    /// The accounts that were noted since the last call; waits until there are some. For one task.
    pub async fn take(&self) -> Vec<Space> {
        loop {
            let spaces: Vec<Space> = self.spaces.lock().drain().collect();
            if !spaces.is_empty() {
                return spaces;
            }
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Feed, Subscription};
    use crate::domain::account::Space;

    async fn is_woken(subscription: &mut Subscription) -> bool {
        timeout(Duration::from_millis(1), subscription.news()).await.is_ok()
    }

    #[tokio::test]
    async fn who_waits_is_woken_for_his_account_alone() {
        let feed = Arc::new(Feed::default());
        let (mut one, mut other) = (feed.subscribe(Space(1)), feed.subscribe(Space(2)));
        feed.wake(Space(1));
        assert!(is_woken(&mut one).await && !is_woken(&mut other).await);
        assert!(!is_woken(&mut one).await, "old news is no news");
    }

    #[tokio::test]
    async fn what_is_written_while_nobody_looks_is_seen_at_the_next_wait() {
        let feed = Arc::new(Feed::default());
        let mut subscription = feed.subscribe(Space(1));
        feed.wake(Space(1));
        feed.wake(Space(1));
        assert!(is_woken(&mut subscription).await);
        assert!(!is_woken(&mut subscription).await);
    }

    #[tokio::test]
    async fn an_account_that_moved_in_the_store_wakes() {
        let feed = Arc::new(Feed::default());
        let (mut one, mut other) = (feed.subscribe(Space(1)), feed.subscribe(Space(2)));
        feed.compare(&[(Space(1), 3), (Space(2), 0)]);
        // Whatever the first look finds may be new to whoever subscribed before.
        assert!(is_woken(&mut one).await && is_woken(&mut other).await);
        feed.compare(&[(Space(1), 3), (Space(2), 1), (Space(3), 9)]);
        assert!(!is_woken(&mut one).await && is_woken(&mut other).await);
        // A history that was put back has moved as well.
        feed.compare(&[(Space(1), 2), (Space(2), 1)]);
        assert!(is_woken(&mut one).await && !is_woken(&mut other).await);
    }

    #[test]
    fn nothing_is_kept_of_those_who_went_away() {
        let feed = Arc::new(Feed::default());
        let subscriptions = [feed.subscribe(Space(1)), feed.subscribe(Space(1)), feed.subscribe(Space(2))];
        assert!(feed.is_followed());
        drop(subscriptions);
        assert!(!feed.is_followed() && feed.accounts.lock().is_empty());
        feed.wake(Space(1));
    }
}
