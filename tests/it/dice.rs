//! Chance that can be had again: a seed, and what follows from it.

/// A die that rolls the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    /// A die that nobody has rolled before, which says what it is so that a failure can be tried again: with the seed in
    /// the environment's `variable`, it is that one.
    pub fn of_the_run(variable: &str) -> Dice {
        let given = std::env::var(variable).ok().map(|text| text.parse().expect("a seed is a number"));
        let seed = given.unwrap_or_else(|| getrandom::u64().expect("the system has entropy"));
        println!("{variable}={seed}");
        Dice(seed)
    }

    /// Another die, for somebody with that number.
    pub fn for_number(&self, number: u64) -> Dice {
        Dice(self.0 ^ (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below that one.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }
}
