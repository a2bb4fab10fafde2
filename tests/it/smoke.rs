//! The fuzz targets for a moment in every test run: seeded mutations of the same small corpus.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[path = "../../fuzz/bodies.rs"]
mod bodies;

const INPUTS: usize = 20_000;
const MAX_MUTATIONS: u64 = 6;
const MAX_INPUT_BYTES: usize = 4_096;
const SEED: u64 = 0x0c05_9f00_d5ee_d001;

#[test]
fn the_form_decoder_holds() {
    check("form", b"&=[]%+0a\0\xff", bodies::form);
}

#[test]
fn the_search_parser_holds() {
    check("search", b" :~<>=-\"'\\[]5", bodies::search);
}

/// Runs the body on mutations of `fuzz/seeds/<target>`. `CUSP_SEED` repeats a run or starts another.
fn check(target: &str, letters: &[u8], body: fn(&[u8])) {
    let seed = std::env::var("CUSP_SEED").map_or(SEED, |seed| seed.parse().expect("CUSP_SEED is a number"));
    println!("CUSP_SEED={seed}");
    let corpus = corpus(target);
    let mut dice = Dice(seed);
    for round in 0..INPUTS {
        let mut input = corpus[dice.below(corpus.len())].clone();
        for _ in 0..dice.next() % MAX_MUTATIONS {
            mutate(&mut input, letters, &corpus, &mut dice);
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(&input))) {
            println!("{target}, round {round}: {}", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

/// The seeds in the order of their names, each without the line end that editors add.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(&folder).expect("the seeds are part of the repository");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    let seeds: Vec<_> = paths.iter().map(|path| fs::read(path).expect("a seed can be read")).collect();
    assert!(!seeds.is_empty(), "{folder} is empty");
    seeds.into_iter().map(|seed| seed.trim_ascii_end().to_vec()).collect()
}

fn mutate(input: &mut Vec<u8>, letters: &[u8], corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let to = at + dice.below(input.len() + 1 - at);
    match dice.next() % 6 {
        0 => input.insert(at, letters[dice.below(letters.len())]),
        1 => input.insert(at, dice.next() as u8),
        2 => drop(input.drain(at..to)),
        3 => input.truncate(at),
        4 => {
            let piece = input[at..to].to_vec();
            input.splice(at..at, piece);
        }
        _ => {
            let other = &corpus[dice.below(corpus.len())];
            input.splice(at..at, other.iter().copied());
        }
    }
    input.truncate(MAX_INPUT_BYTES);
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
