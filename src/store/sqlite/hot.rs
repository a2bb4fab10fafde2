//! Customers that were looked at lately, decoded, so that looking at them again takes no database. It never gives what a
//! commit has replaced once that commit can be seen, and never knows that a customer is not there.
//!
//! Why that holds. Before COMMIT the writer takes the customers that it changes out of their shards and marks them as
//! changing there; afterwards, however the commit ended, it takes the marks away and counts one more end. A reader that
//! finds nothing notes the count before it asks the database, and what it read is kept only when the count is still the
//! same and the customer is not changing. So between the note and the keeping no commit of that customer can have ended,
//! by the count, and none can be on its way, by the mark; one that ended before the note was seen by the read; one that
//! begins after the keeping takes the customer out again. A reader that is slow keeps nothing rather than something old.
//!
//! All of this is about the store's own writer. Nobody else may replace a customer while a store remembers some.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem::{size_of, take};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;

/// So many locks share the customers, so that readers seldom meet and none waits long for one that makes room.
const SHARDS: usize = 64;

/// Memory for the customers of one shard; 24 MiB for all of them, which is some ten thousand customers of usual size.
const MAX_SHARD_BYTES: usize = 24 * 1024 * 1024 / SHARDS;

/// A customer that takes more memory is not kept: a few of them would push many others out.
const MAX_CUSTOMER_BYTES: usize = 16 * 1024;

/// The customers that were looked at lately.
pub(super) struct Hot {
    /// Seeded anew in each process: nobody can choose ids that fall on one key.
    hashes: RandomState,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    kept: HashMap<Key, Entry>,
    /// Memory that they take.
    bytes: usize,
    /// What commits on their way change, once for each write.
    changing: Vec<Key>,
    /// Ends of commits, one for each write.
    ends: u64,
    /// A commit on its way may change any customer.
    all_changing: bool,
    /// Nothing is kept any more.
    shut: bool,
}

struct Entry {
    space: Space,
    customer: Arc<Customer>,
    bytes: usize,
    /// Somebody asked for it since the shard was full last.
    asked: bool,
}

/// Where a customer is kept. Two customers may have one key: whoever finds one compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key(u64);

/// The note of a reader that found nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Miss {
    key: Key,
    ends: u64,
}

impl Hot {
    pub fn new() -> Hot {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Hot { hashes: RandomState::new(), shards }
    }

    /// The customer, or a note to be taken along to the database.
    pub fn find(&self, space: Space, id: &CustomerId) -> Result<Arc<Customer>, Miss> {
        let key = self.key(space, id);
        let mut shard = self.shard(key).lock();
        match shard.kept.get_mut(&key) {
            Some(entry) if entry.space == space && entry.customer.id == *id => {
                entry.asked = true;
                Ok(Arc::clone(&entry.customer))
            }
            Some(_) | None => Err(Miss { key, ends: shard.ends }),
        }
    }

    /// Keeps what the database gave after the miss, when nothing can have replaced it since. `text_length` is how long
    /// the customer is on disk.
    pub fn keep(&self, miss: Miss, space: Space, customer: &Customer, text_length: usize) {
        // Many small strings and maps take about twice what they hold.
        let bytes = size_of::<Customer>() + 2 * text_length;
        if bytes > MAX_CUSTOMER_BYTES {
            return;
        }
        let entry = Entry { space, customer: Arc::new(customer.clone()), bytes, asked: false };
        let mut shard = self.shard(miss.key).lock();
        if shard.shut || shard.all_changing || shard.ends != miss.ends || shard.changing.contains(&miss.key) {
            return;
        }
        shard.remove(miss.key);
        if shard.bytes + bytes > MAX_SHARD_BYTES {
            shard.make_room();
        }
        shard.bytes += bytes;
        shard.kept.insert(miss.key, entry);
    }

    /// Forgets everything and keeps nothing from now on.
    pub fn shut(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.shut = true;
            shard.bytes = 0;
            shard.kept = HashMap::new();
        }
    }

    fn key(&self, space: Space, id: &CustomerId) -> Key {
        Key(self.hashes.hash_one((space, id)))
    }

    fn shard(&self, key: Key) -> &Mutex<Shard> {
        &self.shards[key.0 as usize % SHARDS]
    }
}

impl Shard {
    fn remove(&mut self, key: Key) {
        if let Some(entry) = self.kept.remove(&key) {
            self.bytes -= entry.bytes;
        }
    }

    /// Forgets what nobody asked for since the last time. When that is not an eighth, others go too, no matter which.
    fn make_room(&mut self) {
        let Shard { kept, bytes, .. } = self;
        kept.retain(|_, entry| take(&mut entry.asked) || entry.leave(bytes));
        kept.retain(|_, entry| *bytes <= MAX_SHARD_BYTES / 8 * 7 || entry.leave(bytes));
    }
}

impl Entry {
    /// Takes its memory off the sum; always `false`, for it does not stay.
    fn leave(&self, bytes: &mut usize) -> bool {
        *bytes -= self.bytes;
        false
    }
}

/// The customers that the writer has written and not yet committed.
pub(super) struct Touched {
    hot: Arc<Hot>,
    keys: RefCell<Vec<Key>>,
    /// Accounts were changed as a whole: their customers are not known one by one.
    everything: Cell<bool>,
}

impl Touched {
    pub fn new(hot: Arc<Hot>) -> Touched {
        Touched { hot, keys: RefCell::default(), everything: Cell::default() }
    }

    /// The customers that readers keep.
    pub fn hot(&self) -> &Arc<Hot> {
        &self.hot
    }

    /// Notes a customer that is written.
    pub fn add(&self, space: Space, id: &CustomerId) {
        self.keys.borrow_mut().push(self.hot.key(space, id));
    }

    /// Notes that any customer may be written.
    pub fn add_everything(&self) {
        self.everything.set(true);
    }

    /// Forgets writes that were undone.
    pub fn clear(&self) {
        self.keys.borrow_mut().clear();
        self.everything.set(false);
    }

    /// Runs a commit of what was noted; readers neither get nor keep any of it meanwhile. Should the commit panic, they
    /// never do again, which is slow and right.
    pub fn commit<T>(&self, commit: impl FnOnce() -> T) -> T {
        let keys = self.keys.take();
        let everything = self.everything.take();
        for shard in self.hot.shards.iter().filter(|_| everything) {
            let mut shard = shard.lock();
            shard.all_changing = true;
            shard.bytes = 0;
            shard.kept = HashMap::new();
        }
        for key in &keys {
            let mut shard = self.hot.shard(*key).lock();
            shard.remove(*key);
            shard.changing.push(*key);
        }
        let outcome = commit();
        for key in &keys {
            let mut shard = self.hot.shard(*key).lock();
            let mark = shard.changing.iter().position(|changing| changing == key);
            shard.changing.swap_remove(mark.expect("it was marked above"));
            shard.ends += 1;
        }
        for shard in self.hot.shards.iter().filter(|_| everything) {
            let mut shard = shard.lock();
            shard.all_changing = false;
            shard.ends += 1;
        }
        outcome
    }
}

impl Drop for Touched {
    /// Without the writer nobody tells what is replaced, and another server may come to do it.
    fn drop(&mut self) {
        self.hot.shut();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Hot, MAX_CUSTOMER_BYTES, MAX_SHARD_BYTES, Miss, SHARDS, Touched};
    use crate::domain::account::Space;
    use crate::domain::customer::Customer;
    use crate::domain::ids::CustomerId;
    use crate::store::suite::customer;

    const HERE: Space = Space(11);
    const THERE: Space = Space(12);
    const LENGTH: usize = 600;

    fn find(hot: &Hot, id: &str) -> Result<Arc<Customer>, Miss> {
        hot.find(HERE, &CustomerId(id.into()))
    }

    /// Whether what a reader read after that miss is kept.
    fn keeps(hot: &Hot, miss: Miss, id: &str) -> bool {
        hot.keep(miss, HERE, &customer(id, 1), LENGTH);
        find(hot, id).is_ok()
    }

    fn bytes(hot: &Hot) -> usize {
        hot.shards.iter().map(|shard| shard.lock().bytes).sum()
    }

    #[test]
    fn what_was_kept_is_found_where_it_belongs() {
        let hot = Hot::new();
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
        assert_eq!(*find(&hot, "a").unwrap(), customer("a", 1));
        assert!(find(&hot, "b").is_err());
        assert!(hot.find(THERE, &CustomerId("a".into())).is_err());
    }

    #[test]
    fn customers_with_one_key_are_told_apart() {
        let hot = Hot::new();
        let miss = find(&hot, "a").unwrap_err();
        hot.keep(miss, THERE, &customer("a", 1), LENGTH);
        assert!(find(&hot, "a").is_err());
        hot.keep(miss, HERE, &customer("b", 1), LENGTH);
        assert!(find(&hot, "a").is_err());
        assert!(keeps(&hot, miss, "a"));
        assert_eq!(bytes(&hot), size_of::<Customer>() + 2 * LENGTH);
    }

    #[test]
    fn a_commit_takes_out_what_it_changes_and_nothing_else() {
        let hot = Arc::new(Hot::new());
        let touched = Touched::new(Arc::clone(&hot));
        for id in ["a", "b"] {
            assert!(keeps(&hot, find(&hot, id).unwrap_err(), id));
        }
        touched.add(HERE, &CustomerId("a".into()));
        assert!(find(&hot, "a").is_ok());
        touched.commit(|| assert!(find(&hot, "a").is_err() && find(&hot, "b").is_ok()));
        assert!(find(&hot, "a").is_err() && find(&hot, "b").is_ok());
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
    }

    #[test]
    fn a_slow_reader_keeps_nothing() {
        let hot = Arc::new(Hot::new());
        let touched = Touched::new(Arc::clone(&hot));
        let before = find(&hot, "a").unwrap_err();
        touched.add(HERE, &CustomerId("a".into()));
        touched.add(HERE, &CustomerId("a".into()));
        let during = touched.commit(|| {
            assert!(!keeps(&hot, before, "a"));
            let during = find(&hot, "a").unwrap_err();
            assert!(!keeps(&hot, during, "a"));
            during
        });
        assert!(!keeps(&hot, before, "a") && !keeps(&hot, during, "a"));
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
    }

    #[test]
    fn a_commit_of_everything_takes_everything_out() {
        let hot = Arc::new(Hot::new());
        let touched = Touched::new(Arc::clone(&hot));
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
        let before = find(&hot, "b").unwrap_err();
        touched.add_everything();
        touched.commit(|| {
            let during = find(&hot, "a").unwrap_err();
            assert!(!keeps(&hot, during, "a") && !keeps(&hot, before, "b"));
        });
        assert!(!keeps(&hot, before, "b"));
        assert_eq!(bytes(&hot), 0);
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
        touched.add_everything();
        touched.clear();
        touched.commit(|| assert!(find(&hot, "a").is_ok()));
    }

    #[test]
    fn writes_that_were_undone_take_nothing_out() {
        let hot = Arc::new(Hot::new());
        let touched = Touched::new(Arc::clone(&hot));
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
        touched.add(HERE, &CustomerId("a".into()));
        touched.clear();
        touched.commit(|| {});
        assert!(find(&hot, "a").is_ok());
    }

    #[test]
    fn a_large_customer_is_not_kept() {
        let hot = Hot::new();
        hot.keep(find(&hot, "a").unwrap_err(), HERE, &customer("a", 1), MAX_CUSTOMER_BYTES / 2);
        assert!(find(&hot, "a").is_err());
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let hot = Hot::new();
        assert!(keeps(&hot, find(&hot, "asked").unwrap_err(), "asked"));
        for number in 0..10_000 {
            let id = CustomerId(format!("c{number}"));
            hot.keep(hot.find(HERE, &id).unwrap_err(), HERE, &customer(id.as_str(), 1), MAX_CUSTOMER_BYTES / 4);
            assert!(find(&hot, "asked").is_ok());
        }
        // How full each shard is depends on the seed of the hash; that it is not emptied each time shows in the sum.
        assert!((MAX_SHARD_BYTES * SHARDS / 4..=MAX_SHARD_BYTES * SHARDS).contains(&bytes(&hot)), "{}", bytes(&hot));

        // All of it is asked for: some of it must go all the same.
        let bytes_kept: usize = hot
            .shards
            .iter()
            .map(|shard| {
                let mut shard = shard.lock();
                shard.kept.values_mut().for_each(|entry| entry.asked = true);
                shard.make_room();
                assert_eq!(shard.bytes, shard.kept.values().map(|entry| entry.bytes).sum::<usize>());
                shard.bytes
            })
            .sum();
        assert!(
            (MAX_SHARD_BYTES * SHARDS / 4..=MAX_SHARD_BYTES * SHARDS / 8 * 7).contains(&bytes_kept),
            "{bytes_kept}"
        );
    }

    #[test]
    fn without_a_writer_nothing_is_kept() {
        let hot = Arc::new(Hot::new());
        let early = find(&hot, "b").unwrap_err();
        assert!(keeps(&hot, find(&hot, "a").unwrap_err(), "a"));
        drop(Touched::new(Arc::clone(&hot)));
        assert!(find(&hot, "a").is_err());
        assert!(!keeps(&hot, early, "b"));
        assert_eq!(bytes(&hot), 0);
    }
}
