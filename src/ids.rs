//! Where ids and random bytes come from: the operating system, or a seed when a run has to be repeatable.

use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::domain::ids::IdSource;

/// Time-ordered numbers: 48 bits of milliseconds, then 80 bits that are random for the first number of a millisecond
/// and count up from there (the layout of a ULID).
pub struct Ids {
    last: Mutex<u128>,
    dice: Dice,
}

enum Dice {
    System,
    Seeded { seed: u64, throws: Mutex<u64> },
}

impl Ids {
    /// Unpredictable ids.
    pub fn random() -> Ids {
        Ids { last: Mutex::new(0), dice: Dice::System }
    }

    /// The same ids in the same order in every run with the same seed and clock.
    pub fn seeded(seed: u64) -> Ids {
        Ids { last: Mutex::new(0), dice: Dice::Seeded { seed, throws: Mutex::new(0) } }
    }
}

impl IdSource for Ids {
    fn next(&self, now_millis: i64) -> u128 {
        let millis = (now_millis.max(0) as u128) & 0xffff_ffff_ffff;
        let mut last = self.last.lock();
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

    fn random(&self, bytes: &mut [u8]) {
        match &self.dice {
            Dice::System => getrandom::fill(bytes).expect("the operating system gives random bytes"),
            Dice::Seeded { seed, throws } => {
                let mut throws = throws.lock();
                for chunk in bytes.chunks_mut(32) {
                    *throws += 1;
                    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(throws.to_be_bytes());
                    chunk.copy_from_slice(&digest.finalize()[..chunk.len()]);
                }
            }
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
    use super::Ids;
    use crate::domain::ids::IdSource;

    #[test]
    fn numbers_grow_even_when_the_clock_goes_back() {
        let ids = Ids::random();
        let numbers: Vec<u128> = [5, 5, 9, 3, 9, 10].into_iter().map(|millis| ids.next(millis)).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_seed_repeats_itself() {
        let (one, two) = (Ids::seeded(7), Ids::seeded(7));
        assert_eq!([one.next(1), one.next(2), one.next(2)], [two.next(1), two.next(2), two.next(2)]);
        assert_ne!(Ids::seeded(8).next(1), Ids::seeded(7).next(1));
    }
}
