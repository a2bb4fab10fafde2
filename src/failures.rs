//! Failures on purpose, for test suites: rules that say which requests of a sandbox go wrong, and how. They are kept in
//! memory, and only a server for developers has them.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::domain::account::Space;
use crate::domain::decline::Decline;
use crate::domain::time::Time;
use crate::domain::words::words;

/// The most rules of one sandbox. A rule that has had its hits makes room for another one.
pub const MAX_RULES: usize = 100;

words! {
    /// How a request goes wrong.
    pub enum Fault {
        /// It was one too many.
        RateLimit = "rate_limit",
        /// Another request holds on to the same record.
        LockTimeout = "lock_timeout",
        /// The server fails.
        ApiError = "api_error",
        /// The issuer says no, where one is asked.
        Decline = "decline",
        /// Nothing is done, and no answer comes.
        TimeoutBeforeCommit = "timeout_before_commit",
        /// All is done, and no answer comes.
        TimeoutAfterCommit = "timeout_after_commit",
        /// Nothing is done, and the connection is closed without an answer.
        DisconnectBeforeCommit = "disconnect_before_commit",
        /// All is done, and the connection is closed without an answer.
        DisconnectAfterCommit = "disconnect_after_commit",
        /// It goes right, only later.
        None = "none",
    }
}

/// Which requests a rule is about; all that it says has to be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The method.
    pub method: Option<String>,
    /// The path, in which `*` stands for anything.
    pub path: Option<String>,
    /// An id that is a part of the path.
    pub object: Option<String>,
    /// Parameters by their names, as `metadata[order]`, and what they are.
    pub params: Vec<(String, String)>,
}

/// Which of those requests go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Each.
    Each,
    /// Each of so many: the third, the sixth, …
    Every(u64),
    /// So many of a hundred, by dice that the seed throws.
    Percent {
        /// Of a hundred.
        percent: u64,
        /// The seed.
        seed: u64,
    },
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which requests it is about.
    pub target: Target,
    /// Which of them go wrong.
    pub turn: Turn,
    /// How often at most; without end when `None`.
    pub times: Option<u64>,
    /// How they go wrong.
    pub fault: Fault,
    /// Why the issuer says no.
    pub decline: Option<Decline>,
    /// How long they wait first.
    pub delay: Duration,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id: `fail_` and a number that counts up in its sandbox.
    pub id: String,
    /// When it was made.
    pub created: Time,
    /// What it says.
    pub wish: Wish,
    /// How many requests it was about so far.
    pub seen: u64,
    /// How many of them it had go wrong.
    pub hits: u64,
}

/// What happens to a request that is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// How it goes wrong.
    pub fault: Fault,
    /// Why the issuer says no.
    pub decline: Option<Decline>,
    /// How long it waits first.
    pub delay: Duration,
}

/// A request as rules see it.
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path as its API documents it.
    pub path: &'a str,
    /// Its path as it was sent, with the mount.
    pub sent: &'a str,
    /// Whether an issuer is asked about something on its way.
    pub asks_issuer: bool,
    /// What it is given by a parameter's name.
    pub param: &'a dyn Fn(&str) -> Option<String>,
}

/// The rules of every sandbox.
#[derive(Default)]
pub struct Failures {
    sandboxes: Mutex<HashMap<Space, Rules>>,
}

#[derive(Default)]
struct Rules {
    made: u64,
    rules: Vec<Rule>,
}

impl Failures {
    /// Makes a rule; `None` when there are too many that still wait for their requests.
    pub fn add(&self, space: Space, wish: Wish, now: Time) -> Option<Rule> {
        let mut sandboxes = self.sandboxes.lock();
        let sandbox = sandboxes.entry(space).or_default();
        if sandbox.rules.len() >= MAX_RULES {
            let over = sandbox.rules.iter().position(Rule::is_over)?;
            sandbox.rules.remove(over);
        }
        sandbox.made += 1;
        let rule = Rule { id: format!("fail_{}", sandbox.made), created: now, wish, seen: 0, hits: 0 };
        sandbox.rules.push(rule.clone());
        Some(rule)
    }

    /// The rules of a sandbox, in the order in which they were made.
    pub fn list(&self, space: Space) -> Vec<Rule> {
        self.sandboxes.lock().get(&space).map(|sandbox| sandbox.rules.clone()).unwrap_or_default()
    }

    /// A rule.
    pub fn find(&self, space: Space, id: &str) -> Option<Rule> {
        self.list(space).into_iter().find(|rule| rule.id == id)
    }

    /// Takes a rule back.
    pub fn remove(&self, space: Space, id: &str) -> Option<Rule> {
        let mut sandboxes = self.sandboxes.lock();
        let rules = &mut sandboxes.get_mut(&space)?.rules;
        let place = rules.iter().position(|rule| rule.id == id)?;
        Some(rules.remove(place))
    }

    /// Takes all rules of a sandbox back, and tells how many there were. Its next one is its first again.
    pub fn clear(&self, space: Space) -> usize {
        self.sandboxes.lock().remove(&space).map_or(0, |sandbox| sandbox.rules.len())
    }

    /// What happens to a request. The first rule that hits it counts; each that is about it has seen it.
    pub fn strike(&self, space: Space, asked: &Asked<'_>) -> Option<Strike> {
        let mut sandboxes = self.sandboxes.lock();
        let rules = &mut sandboxes.get_mut(&space)?.rules;
        let mut strike = None;
        for rule in rules.iter_mut().filter(|rule| !rule.is_over() && rule.wish.is_about(asked)) {
            rule.seen += 1;
            if strike.is_none() && rule.wish.turn.is_it(rule.seen) {
                rule.hits += 1;
                let Wish { fault, decline, delay, .. } = rule.wish;
                strike = Some(Strike { fault, decline, delay });
            }
        }
        strike
    }
}

impl Rule {
    /// Whether it has had all its hits.
    pub fn is_over(&self) -> bool {
        self.wish.times.is_some_and(|times| self.hits >= times)
    }
}

impl Turn {
    fn is_it(self, seen: u64) -> bool {
        match self {
            Turn::Each => true,
            Turn::Every(every) => seen.is_multiple_of(every),
            Turn::Percent { percent, seed } => {
                let digest = Sha256::new_with_prefix("cusp failure\0")
                    .chain_update(seed.to_be_bytes())
                    .chain_update(seen.to_be_bytes())
                    .finalize();
                u64::from_be_bytes(std::array::from_fn(|place| digest[place])) % 100 < percent
            }
        }
    }
}

impl Wish {
    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let Wish { target: Target { method, path, object, params }, fault, .. } = self;
        method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(asked.method))
            && path.as_ref().is_none_or(|path| fits(path, asked.path) || fits(path, asked.sent))
            && object.as_ref().is_none_or(|object| asked.path.split('/').any(|part| part == object))
            && params.iter().all(|(name, value)| (asked.param)(name).as_ref() == Some(value))
            && (*fault != Fault::Decline || asked.asks_issuer)
    }
}

/// Whether a path is one of the pattern, in which `*` stands for anything.
fn fits(pattern: &str, path: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(place) => rest = &rest[place + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Asked, Failures, Fault, MAX_RULES, Target, Turn, Wish, fits};
    use crate::domain::account::Space;
    use crate::domain::time::Time;

    const HERE: Space = Space(1);

    fn wish() -> Wish {
        Wish {
            target: Target::default(),
            turn: Turn::Each,
            times: Some(1),
            fault: Fault::ApiError,
            decline: None,
            delay: Duration::ZERO,
        }
    }

    /// Which of so many requests are hit.
    fn hits(wish: Wish, requests: usize) -> Vec<usize> {
        let failures = Failures::default();
        failures.add(HERE, wish, Time(0)).unwrap();
        let asked =
            Asked { method: "GET", path: "/v1/customers", sent: "/v1/customers", asks_issuer: false, param: &|_| None };
        (1..=requests).filter(|_| failures.strike(HERE, &asked).is_some()).collect()
    }

    #[test]
    fn patterns_have_gaps_anywhere() {
        for (pattern, path, fit) in [
            ("/v1/customers", "/v1/customers", true),
            ("/v1/customers", "/v1/customers/cus_1", false),
            ("/v1/customers/*", "/v1/customers/cus_1/sources", true),
            ("/v1/customers/*/sources", "/v1/customers/cus_1/sources", true),
            ("/v1/customers/*/sources", "/v1/customers/cus_1/tax_ids", false),
            ("*", "/v1/coupons", true),
            ("*coupon*s", "/v1/coupons", true),
            ("/v1/*/x/*/y", "/v1/a/x/y", false),
        ] {
            assert_eq!(fits(pattern, path), fit, "{pattern} {path}");
        }
    }

    #[test]
    fn turns_come_when_they_are_said_to() {
        assert_eq!(hits(wish(), 4), [1]);
        assert_eq!(hits(Wish { times: Some(3), ..wish() }, 5), [1, 2, 3]);
        assert_eq!(hits(Wish { turn: Turn::Every(3), times: None, ..wish() }, 7), [3, 6]);
        assert_eq!(hits(Wish { turn: Turn::Every(2), times: Some(2), ..wish() }, 9), [2, 4]);
        let percent = |seed| Wish { turn: Turn::Percent { percent: 30, seed }, times: None, ..wish() };
        let some = hits(percent(7), 1000);
        assert_eq!(some, hits(percent(7), 1000));
        assert_ne!(some, hits(percent(8), 1000));
        assert!((200..400).contains(&some.len()), "{}", some.len());
    }

    #[test]
    fn a_rule_is_about_what_it_says_and_about_one_sandbox() {
        let failures = Failures::default();
        let target = Target {
            method: Some("post".into()),
            path: Some("/v1/customers/*".into()),
            object: Some("cus_1".into()),
            params: vec![("metadata[order]".into(), "7".into())],
        };
        failures.add(HERE, Wish { target, times: None, ..wish() }, Time(0)).unwrap();
        let seven = |name: &str| (name == "metadata[order]").then(|| "7".to_owned());
        let good = Asked { method: "POST", path: "/v1/customers/cus_1", sent: "", asks_issuer: false, param: &seven };
        assert!(failures.strike(HERE, &good).is_some());
        assert!(failures.strike(Space(2), &good).is_none());
        for other in [
            Asked { method: "GET", ..good },
            Asked { path: "/v1/customers/cus_11", ..good },
            Asked { path: "/v1/cus_1", ..good },
            Asked { param: &|_| None, ..good },
        ] {
            assert!(failures.strike(HERE, &other).is_none());
        }
        let rule = failures.find(HERE, "fail_1").unwrap();
        assert_eq!((rule.seen, rule.hits), (1, 1));
    }

    #[test]
    fn a_path_may_be_written_with_its_mount() {
        for path in ["/api/v1/customers", "/jani/api/v1/customers", "/jani/*"] {
            let failures = Failures::default();
            let target = Target { path: Some(path.into()), ..Target::default() };
            failures.add(HERE, Wish { target, ..wish() }, Time(0)).unwrap();
            let asked = Asked {
                method: "GET",
                path: "/api/v1/customers",
                sent: "/jani/api/v1/customers",
                asks_issuer: false,
                param: &|_| None,
            };
            assert!(failures.strike(HERE, &asked).is_some(), "{path}");
        }
    }

    #[test]
    fn a_decline_waits_for_a_request_that_asks_an_issuer() {
        let failures = Failures::default();
        failures.add(HERE, Wish { fault: Fault::Decline, ..wish() }, Time(0)).unwrap();
        let asked = |asks_issuer| Asked { method: "POST", path: "/v1/x", sent: "", asks_issuer, param: &|_| None };
        assert!(failures.strike(HERE, &asked(false)).is_none());
        assert!(failures.strike(HERE, &asked(true)).is_some());
    }

    #[test]
    fn there_is_room_for_so_many_rules() {
        let failures = Failures::default();
        for _ in 0..MAX_RULES {
            failures.add(HERE, wish(), Time(0)).unwrap();
        }
        assert!(failures.add(HERE, wish(), Time(0)).is_none());
        let asked = Asked { method: "GET", path: "/", sent: "/", asks_issuer: false, param: &|_| None };
        assert!(failures.strike(HERE, &asked).is_some());
        assert_eq!(failures.add(HERE, wish(), Time(0)).unwrap().id, format!("fail_{}", MAX_RULES + 1));
        assert_eq!(failures.list(HERE).len(), MAX_RULES);
        assert_eq!(failures.remove(HERE, "fail_2").unwrap().id, "fail_2");
        assert!(failures.remove(HERE, "fail_2").is_none());
        assert_eq!(failures.clear(HERE), MAX_RULES - 1);
        assert_eq!(failures.add(HERE, wish(), Time(0)).unwrap().id, "fail_1");
    }
}
