//! What is done to deliveries on purpose, so that a developer meets in a test what a network may do: Stripe promises neither
//! order nor that a delivery comes once. It decides only; the same seed decides the same of the same delivery.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// Of 256 deliveries, about how many meet each of the three.
const SHARE: u8 = 51;
/// The longest delay.
pub const LONGEST_DELAY: Duration = Duration::from_millis(2_000);

/// What is done to a delivery. Any of the three may come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mischief {
    /// It is sent once more when it has been taken.
    pub duplicate: bool,
    /// It is sent so much later; zero for at once.
    pub delay: Duration,
    /// It is held back until the next one of its endpoint has been sent, if there is one.
    pub behind_next: bool,
}

/// What the seed does to a delivery.
pub fn decide(seed: u64, delivery: &str) -> Mischief {
    let digest =
        Sha256::new().chain_update("cusp chaos\0").chain_update(seed.to_be_bytes()).chain_update(delivery).finalize();
    let millis = u64::from(u16::from_be_bytes([digest[3], digest[4]])) % millis(LONGEST_DELAY) + 1;
    Mischief {
        duplicate: digest[0] < SHARE,
        delay: if digest[1] < SHARE { Duration::from_millis(millis) } else { Duration::ZERO },
        behind_next: digest[2] < SHARE,
    }
}

const fn millis(span: Duration) -> u64 {
    span.as_secs() * 1_000 + span.subsec_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_DELAY, Mischief, decide};

    fn many(seed: u64) -> Vec<Mischief> {
        (0..2_000).map(|number| decide(seed, &format!("whd_{number}"))).collect()
    }

    #[test]
    fn a_seed_decides_the_same_each_time_and_another_one_otherwise() {
        assert_eq!(many(7), many(7));
        assert_ne!(many(7), many(8));
        assert_ne!(many(0), many(1 << 63));
    }

    #[test]
    fn each_happens_to_about_a_fifth() {
        let all = many(42);
        for count in [
            all.iter().filter(|mischief| mischief.duplicate).count(),
            all.iter().filter(|mischief| !mischief.delay.is_zero()).count(),
            all.iter().filter(|mischief| mischief.behind_next).count(),
        ] {
            assert!((320..480).contains(&count), "{count} of 2000");
        }
        assert!(all.contains(&Mischief::default()));
    }

    #[test]
    fn delays_are_bounded_and_differ() {
        let delays: Vec<_> = many(3).iter().map(|mischief| mischief.delay).filter(|delay| !delay.is_zero()).collect();
        assert!(delays.iter().all(|delay| *delay <= LONGEST_DELAY));
        assert!(delays.iter().max() > delays.iter().min());
    }
}
