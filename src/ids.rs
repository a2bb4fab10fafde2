//! Where ids and random bytes come from: the operating system, or a seed when a run has to be repeatable.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::domain::account::Space;
use crate::domain::ids::IdSource;

/// Time-ordered numbers: 48 bits of milliseconds, then 80 bits that are random for the first number of a millisecond
/// and count up from there (the layout of a ULID). From a seed the milliseconds are counted instead of read from a clock,
/// apart for each account, so that an account is given the same numbers whatever goes on beside it.
pub struct Ids {
    dice: Dice,
}

enum Dice {
    System { last: Mutex<u128> },
    Seeded(Arc<Seeded>),
}

struct Seeded {
    seed: u64,
    accounts: Mutex<HashMap<Space, OfSpace>>,
}

/// How far an account has come with what its seed gives.
#[derive(Default)]
struct OfSpace {
    now: Progress,
    /// The farthest that it ever came.
    farthest: Progress,
    /// Where it was at moments that it may be taken back to, by their names.
    marks: HashMap<String, Progress>,
}

/// How often each was asked for.
#[derive(Clone, Copy, Default)]
struct Progress {
    numbers: u64,
    bytes: u64,
    requests: u64,
}

/// Where the numbers of a seed begin, in milliseconds: 2020-01-01T00:00:00Z, so that their ids look like any others.
const FIRST_MILLIS: u64 = 1_577_836_800_000;
/// Whose the numbers are that no account asks for.
const NOBODY: Space = Space(0);
/// The bits of a number that are not its time.
const BELOW_TIME: u128 = (1 << 80) - 1;

impl Ids {
    /// Unpredictable ids.
    pub fn random() -> Ids {
        Ids { dice: Dice::System { last: Mutex::new(0) } }
    }

    /// The same ids in the same order for each account in every run with the same seed.
    pub fn seeded(seed: u64) -> Ids {
        Ids { dice: Dice::Seeded(Arc::new(Seeded { seed, accounts: Mutex::default() })) }
    }

    /// Whether they come from a seed.
    pub fn are_seeded(&self) -> bool {
        match &self.dice {
            Dice::System { .. } => false,
            Dice::Seeded(_) => true,
        }
    }

    /// Those of an account.
    pub fn of(self: &Arc<Ids>, space: Space) -> Arc<dyn IdSource> {
        match &self.dice {
            Dice::System { .. } => self.clone(),
            Dice::Seeded(seeded) => Arc::new(OfAccount { seeded: seeded.clone(), space }),
        }
    }

    /// The number of a request, which has its own order, so that looking at things changes nothing about the next id.
    pub fn of_request(&self, space: Option<Space>, now_millis: i64) -> u128 {
        match &self.dice {
            Dice::System { .. } => self.next(now_millis),
            Dice::Seeded(seeded) => {
                let space = space.unwrap_or(NOBODY);
                seeded.number(space, "request", seeded.count(space, |drawn| &mut drawn.requests))
            }
        }
    }

    /// What an account tells numbers by: of a seed always the same.
    pub fn fingerprint_key(&self, space: Space) -> [u8; 32] {
        match &self.dice {
            Dice::System { .. } => {
                let mut bytes = [0; 32];
                self.random(&mut bytes);
                bytes
            }
            Dice::Seeded(seeded) => seeded.digest(space, "fingerprint key", 0),
        }
    }

    /// Begins again for an account of which nothing is left: a seed gives it the same ids once more. Its marks stay.
    pub fn begin_again(&self, space: Space) {
        self.at(space, |account| account.now = Progress::default());
    }

    /// Notes how far the account is, under a name.
    pub fn mark(&self, space: Space, name: &str) {
        self.at(space, |account| {
            account.marks.insert(name.to_owned(), account.now);
        });
    }

    /// Forgets a mark.
    pub fn forget_mark(&self, space: Space, name: &str) {
        self.at(space, |account| {
            account.marks.remove(name);
        });
    }

    /// Goes on from a mark, for an account whose records are again what they were then.
    pub fn back_to(&self, space: Space, name: &str) {
        self.at(space, |account| account.now = account.marks.get(name).copied().unwrap_or(account.farthest));
    }

    /// Goes on with what was never given out, for an account that is given records which may come from itself.
    pub fn go_farthest(&self, space: Space) {
        self.at(space, |account| account.now = account.farthest);
    }

    fn at(&self, space: Space, change: impl FnOnce(&mut OfSpace)) {
        match &self.dice {
            Dice::System { .. } => {}
            Dice::Seeded(seeded) => change(seeded.accounts.lock().entry(space).or_default()),
        }
    }
}

impl Seeded {
    /// Which one it is of its sort.
    fn count(&self, space: Space, sort: fn(&mut Progress) -> &mut u64) -> u64 {
        let mut accounts = self.accounts.lock();
        let account = accounts.entry(space).or_default();
        let count = sort(&mut account.now);
        *count += 1;
        let (count, farthest) = (*count, sort(&mut account.farthest));
        *farthest = count.max(*farthest);
        count
    }

    fn number(&self, space: Space, purpose: &str, count: u64) -> u128 {
        let digest = self.digest(space, purpose, count);
        let below: u128 = u128::from_be_bytes(std::array::from_fn(|place| digest[place])) & BELOW_TIME;
        (u128::from(FIRST_MILLIS + count) & 0xffff_ffff_ffff) << 80 | below
    }

    fn digest(&self, space: Space, purpose: &str, count: u64) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update("cusp seed\0")
            .chain_update(self.seed.to_be_bytes())
            .chain_update(space.0.to_be_bytes())
            .chain_update(count.to_be_bytes())
            .chain_update(purpose);
        digest.finalize().into()
    }
}

impl IdSource for Ids {
    fn next(&self, now_millis: i64) -> u128 {
        match &self.dice {
            Dice::System { last } => {
                let millis = (now_millis.max(0) as u128) & 0xffff_ffff_ffff;
                let mut last = last.lock();
                *last = if (*last >> 80) >= millis {
                    *last + 1
                } else {
                    let mut bytes = [0; 16];
                    self.random(&mut bytes[6..]);
                    // The top bit of the random part stays clear, so that counting up never reaches the time.
                    (millis << 80) | (u128::from_be_bytes(bytes) & !(1 << 79))
                };
                *last
            }
            Dice::Seeded(seeded) => OfAccount { seeded: seeded.clone(), space: NOBODY }.next(now_millis),
        }
    }

    fn random(&self, bytes: &mut [u8]) {
        match &self.dice {
            Dice::System { .. } => getrandom::fill(bytes).expect("the operating system gives random bytes"),
            Dice::Seeded(seeded) => OfAccount { seeded: seeded.clone(), space: NOBODY }.random(bytes),
        }
    }
}

/// What a seed gives to one account.
struct OfAccount {
    seeded: Arc<Seeded>,
    space: Space,
}

impl IdSource for OfAccount {
    fn next(&self, _: i64) -> u128 {
        let count = self.seeded.count(self.space, |drawn| &mut drawn.numbers);
        self.seeded.number(self.space, "thing", count)
    }

    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.seeded.count(self.space, |drawn| &mut drawn.bytes);
            chunk.copy_from_slice(&self.seeded.digest(self.space, "bytes", count)[..chunk.len()]);
        }
    }
}

/// Ids and random bytes for a transaction that may run more than once. Random bytes are drawn once and repeated in every
/// run: a name that is looked up before it is taken must be the one that was looked up. Ids are not, since their order is
/// the order of commits.
pub struct Repeated {
    source: Arc<dyn IdSource>,
    drawn: Mutex<Drawn>,
}

#[derive(Default)]
struct Drawn {
    rehearsal: bool,
    position: usize,
    bytes: Vec<u8>,
}

impl Repeated {
    /// From that source.
    pub fn new(source: Arc<dyn IdSource>) -> Repeated {
        Repeated { source, drawn: Mutex::default() }
    }

    /// Begins a run. One that is a rehearsal takes no id from the source.
    pub fn begin(&self, rehearsal: bool) {
        let mut drawn = self.drawn.lock();
        drawn.position = 0;
        drawn.rehearsal = rehearsal;
    }
}

impl IdSource for Repeated {
    fn next(&self, now_millis: i64) -> u128 {
        if self.drawn.lock().rehearsal { 0 } else { self.source.next(now_millis) }
    }

    fn random(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock();
        let (from, until) = (drawn.position, drawn.position + bytes.len());
        if drawn.bytes.len() < until {
            let known = drawn.bytes.len();
            drawn.bytes.resize(until, 0);
            self.source.random(&mut drawn.bytes[known..]);
        }
        bytes.copy_from_slice(&drawn.bytes[from..until]);
        drawn.position = until;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Ids;
    use crate::domain::account::Space;
    use crate::domain::ids::IdSource;

    #[test]
    fn numbers_grow_even_when_the_clock_goes_back() {
        let ids = Ids::random();
        let numbers: Vec<u128> = [5, 5, 9, 3, 9, 10].into_iter().map(|millis| ids.next(millis)).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_seed_repeats_itself_for_each_account_whatever_the_time() {
        let (one, two) = (Arc::new(Ids::seeded(7)), Arc::new(Ids::seeded(7)));
        let (ada, bob) = (Space(1), Space(2));
        let alone: Vec<u128> = [5, 1, 900].into_iter().map(|millis| one.of(ada).next(millis)).collect();
        let beside: Vec<u128> = [1, 2, 3]
            .into_iter()
            .map(|millis| {
                two.of(bob).next(millis);
                two.of_request(Some(ada), millis);
                two.of(ada).next(millis)
            })
            .collect();
        assert_eq!(alone, beside);
        assert!(alone.windows(2).all(|pair| pair[0] < pair[1]));
        assert_ne!(one.of(bob).next(1), one.of(ada).next(1));
        assert_ne!(Arc::new(Ids::seeded(8)).of(ada).next(1), alone[0]);
        assert_eq!(one.fingerprint_key(ada), two.fingerprint_key(ada));
        assert_ne!(one.fingerprint_key(ada), one.fingerprint_key(bob));
    }

    #[test]
    fn a_seed_can_be_taken_back_to_where_it_was() {
        let (ids, here) = (Arc::new(Ids::seeded(7)), Space(1));
        let draw = || {
            let mut bytes = [0; 40];
            ids.of(here).random(&mut bytes);
            (ids.of(here).next(1), bytes, ids.of_request(Some(here), 1))
        };
        let first = draw();
        ids.mark(here, "one");
        let second = draw();
        ids.begin_again(here);
        assert_eq!(draw(), first);
        assert_eq!(draw(), second);
        let third = draw();
        ids.back_to(here, "one");
        assert_eq!(draw(), second);
        ids.go_farthest(here);
        let fourth = draw();
        assert!([&first, &second, &third].iter().all(|known| known.0 != fourth.0 && known.2 != fourth.2));
        ids.forget_mark(here, "one");
        // What is not known is taken for what may be anything.
        ids.back_to(here, "one");
        assert_ne!(draw(), second);
    }
}
