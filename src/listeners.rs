//! Those who listen to an account, and what they are told: each thing once, as far as they keep up. Nothing is kept and
//! nobody is waited for; while nobody listens, it costs a look at one number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::domain::account::Space;

/// How many things may wait for a listener. One that is further behind does not hear of the next.
pub const MAX_WAITING: usize = 256;

/// Those who listen, by account.
pub struct Listeners<T> {
    /// How many there are.
    count: AtomicUsize,
    by_account: Mutex<HashMap<Space, Vec<mpsc::Sender<T>>>>,
}

impl<T> Default for Listeners<T> {
    fn default() -> Listeners<T> {
        Listeners { count: AtomicUsize::new(0), by_account: Mutex::default() }
    }
}

impl<T: Clone> Listeners<T> {
    /// Tells those who listen to the account. `what` is asked only when there are some.
    pub fn tell(&self, space: Space, what: impl FnOnce() -> T) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let by_account = self.by_account.lock();
        let Some(listeners) = by_account.get(&space) else { return };
        let what = what();
        for listener in listeners {
            // One that is behind or gone is not waited for.
            let _ = listener.try_send(what.clone());
        }
    }

    /// Listens to an account from now on.
    pub fn listen(self: &Arc<Listeners<T>>, space: Space) -> Listener<T> {
        let (tell, told) = mpsc::channel(MAX_WAITING);
        self.by_account.lock().entry(space).or_default().push(tell);
        self.count.fetch_add(1, Ordering::Relaxed);
        Listener { listeners: self.clone(), space, told }
    }
}

/// Somebody who listens, until it is dropped.
pub struct Listener<T> {
    listeners: Arc<Listeners<T>>,
    space: Space,
    told: mpsc::Receiver<T>,
}

impl<T> Listener<T> {
    /// The next thing that is told.
    pub async fn next(&mut self) -> T {
        self.told.recv().await.expect("the sender stays until the listener is dropped")
    }
}

impl<T> Drop for Listener<T> {
    fn drop(&mut self) {
        self.told.close();
        let mut by_account = self.listeners.by_account.lock();
        if let Entry::Occupied(mut listeners) = by_account.entry(self.space) {
            listeners.get_mut().retain(|listener| !listener.is_closed());
            if listeners.get().is_empty() {
                listeners.remove();
            }
        }
        self.listeners.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_those_who_listen_to_the_account_are_told() {
        let listeners = Arc::new(Listeners::default());
        listeners.tell(Space(1), || panic!("it is made for nobody"));
        let [mut one, mut two] = [listeners.listen(Space(1)), listeners.listen(Space(1))];
        let mut other = listeners.listen(Space(2));
        listeners.tell(Space(1), || "first");
        listeners.tell(Space(2), || "second");
        assert_eq!((one.next().await, two.next().await, other.next().await), ("first", "first", "second"));
        drop((one, two));
        listeners.tell(Space(1), || panic!("nobody is left"));
        drop(other);
        assert!(listeners.by_account.lock().is_empty());
        assert_eq!(listeners.count.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn one_that_is_behind_loses_what_it_cannot_hold() {
        let listeners = Arc::new(Listeners::default());
        let mut slow = listeners.listen(Space(1));
        for number in 0..MAX_WAITING + 5 {
            listeners.tell(Space(1), || number);
        }
        for number in 0..MAX_WAITING {
            assert_eq!(slow.next().await, number);
        }
        listeners.tell(Space(1), || 7_777);
        assert_eq!(slow.next().await, 7_777);
    }
}
