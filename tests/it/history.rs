//! Whether what callers saw of one customer can have come from a single customer that did one thing at a time, each thing
//! at some moment between its request and its reply: a search for such an order, after Wing and Gong, that remembers
//! where it has been. It asks nobody; it judges what was recorded.

use std::collections::{BTreeMap, HashMap, HashSet};

/// How many states are looked at before a history is called too tangled to be judged.
const MAX_STATES: usize = 300_000;

/// A customer, as far as histories are about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Customer {
    /// Counts its changes, from one.
    pub version: u64,
    /// Its name. No two requests of a history set the same, nor the same value in its metadata.
    pub name: String,
    /// Its balance.
    pub balance: i64,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// To be shown the customer.
    Read,
    /// A new name; with a version, only if that is the customer's.
    Name { name: String, if_match: Option<u64> },
    /// Metadata, next to what is there.
    Note { key: String, value: String },
    /// A movement of the balance, other than by nought.
    Move(i64),
}

/// What a reply said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The customer, after the change if there was one.
    Shown(Customer),
    /// The balance after the movement.
    Moved(i64),
    /// The customer has another version than the request wanted.
    Refused,
    /// No word on what became of it: it may have been done at any time since, or never.
    Unknown,
}

/// A request and its reply.
#[derive(Clone, Debug)]
pub struct Operation {
    /// When it was sent, on a clock that all callers share.
    pub began: u64,
    /// When its reply was there.
    pub ended: u64,
    /// What it asked for.
    pub action: Action,
    /// What it was told.
    pub answer: Answer,
}

impl Customer {
    /// The customer after an action; `None` when it would not have been answered like that.
    fn after(&self, action: &Action, answer: &Answer) -> Option<Customer> {
        let mut after = self.clone();
        match action {
            Action::Read => {}
            Action::Name { if_match: Some(tag), .. } if *tag != self.version => {
                return (*answer == Answer::Refused).then_some(after);
            }
            Action::Name { name, .. } => after.name.clone_from(name),
            Action::Note { key, value } => drop(after.metadata.insert(key.clone(), value.clone())),
            Action::Move(amount) => after.balance += amount,
        }
        after.version += u64::from(*action != Action::Read);
        let fits = match answer {
            Answer::Shown(customer) => *customer == after,
            Answer::Moved(balance) => *balance == after.balance,
            Answer::Refused => false,
            Answer::Unknown => true,
        };
        fits.then_some(after)
    }
}

impl Operation {
    /// Whether what the reply shows can never come about again: it is of an older version, or a value is to be seen in it
    /// that was written and has given way to another one. Without this, whatever nobody saw would be tried in every place.
    fn is_out_of_reach(&self, customer: &Customer, writers: &Writers, placed: &Placed) -> bool {
        let Answer::Shown(shown) = &self.answer else { return false };
        let newest = shown.version - u64::from(self.action != Action::Read);
        let is_gone = |value: &str, present: Option<&String>| {
            present.is_none_or(|present| present != value)
                && writers.0.get(value).is_none_or(|writer| placed.has(*writer))
        };
        newest < customer.version
            || is_gone(&shown.name, Some(&customer.name))
            || shown.metadata.iter().any(|(key, value)| is_gone(value, customer.metadata.get(key)))
    }
}

/// Which operation wrote each value; a value that none did was there from the start.
struct Writers<'h>(HashMap<&'h str, usize>);

impl<'h> Writers<'h> {
    fn of(history: &'h [Operation]) -> Writers<'h> {
        let writes = history.iter().enumerate().filter_map(|(at, operation)| match &operation.action {
            Action::Name { name: value, .. } | Action::Note { value, .. } => Some((value.as_str(), at)),
            Action::Read | Action::Move(_) => None,
        });
        Writers(writes.collect())
    }
}

/// Which operations of a history have been put into the order so far.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Placed(Vec<u64>);

impl Placed {
    fn none_of(operations: usize) -> Placed {
        Placed(vec![0; operations.div_ceil(64)])
    }

    fn with(&self, operation: usize) -> Placed {
        let mut placed = self.clone();
        placed.0[operation / 64] |= 1 << (operation % 64);
        placed
    }

    fn has(&self, operation: usize) -> bool {
        self.0[operation / 64] & (1 << (operation % 64)) != 0
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

/// Judges a history that begins with that customer, and tells how many states had to be looked at. A refusal tells how
/// far an order could be found.
pub fn judge(start: &Customer, history: &[Operation]) -> Result<usize, String> {
    let is_known = |at: usize| history[at].answer != Answer::Unknown;
    let writers = Writers::of(history);
    let nothing = Placed::none_of(history.len());
    let mut ways = vec![(nothing.clone(), start.clone())];
    let mut visited = HashSet::from([(nothing.clone(), start.clone())]);
    let mut furthest = (nothing, start.clone());
    while let Some((placed, customer)) = ways.pop() {
        let missing: Vec<usize> = (0..history.len()).filter(|at| !placed.has(*at)).collect();
        // What was answered before another one was asked goes before it.
        let Some(until) = missing.iter().filter(|at| is_known(**at)).map(|at| history[*at].ended).min() else {
            return Ok(visited.len());
        };
        if missing.iter().any(|at| history[*at].is_out_of_reach(&customer, &writers, &placed)) {
            continue;
        }
        let candidates = missing.into_iter().filter(|at| history[*at].began <= until);
        let (known, unknown): (Vec<usize>, Vec<usize>) = candidates.partition(|at| is_known(*at));
        // The last ones pushed are the first ones tried: what is known to have happened.
        for at in unknown.into_iter().chain(known) {
            let Some(after) = customer.after(&history[at].action, &history[at].answer) else { continue };
            let way = (placed.with(at), after);
            if visited.contains(&way) {
                continue;
            }
            if way.0.count() > furthest.0.count() {
                furthest = way.clone();
            }
            visited.insert(way.clone());
            ways.push(way);
        }
        if visited.len() > MAX_STATES {
            return Err(format!("too tangled: {MAX_STATES} states of {} operations", history.len()));
        }
    }
    let (placed, customer) = furthest;
    let left = history.iter().enumerate().filter(|(at, _)| !placed.has(*at)).map(|(_, operation)| operation);
    Err(format!(
        "no order explains it; {} of {} operations lead to {customer:?}, and then none of these: {:#?}",
        placed.count(),
        history.len(),
        left.take(12).collect::<Vec<_>>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(version: u64, name: &str) -> Customer {
        Customer { version, name: name.to_owned(), ..Customer::default() }
    }

    fn rich(version: u64, balance: i64) -> Customer {
        Customer { balance, ..named(version, "") }
    }

    fn name(name: &str) -> Action {
        Action::Name { name: name.to_owned(), if_match: None }
    }

    fn name_if(tag: u64, name: &str) -> Action {
        Action::Name { name: name.to_owned(), if_match: Some(tag) }
    }

    fn operation(began: u64, ended: u64, action: Action, answer: Answer) -> Operation {
        Operation { began, ended, action, answer }
    }

    /// A history of a customer of version 1 without a name.
    fn judged(operations: &[(u64, u64, Action, Answer)]) -> bool {
        let history: Vec<Operation> = operations
            .iter()
            .cloned()
            .map(|(began, ended, action, answer)| operation(began, ended, action, answer))
            .collect();
        judge(&named(1, ""), &history).is_ok()
    }

    use Answer::{Moved, Refused, Shown, Unknown};

    #[test]
    fn one_thing_after_the_other_is_fine() {
        let noted = Customer { metadata: BTreeMap::from([("k".into(), "v".into())]), ..named(4, "b") };
        assert!(judged(&[
            (0, 1, Action::Read, Shown(named(1, ""))),
            (2, 3, name("a"), Shown(named(2, "a"))),
            (4, 5, name_if(1, "x"), Refused),
            (6, 7, name_if(2, "b"), Shown(named(3, "b"))),
            (8, 9, Action::Note { key: "k".into(), value: "v".into() }, Shown(noted.clone())),
            (10, 11, Action::Move(7), Moved(7)),
            (12, 13, Action::Read, Shown(Customer { version: 5, balance: 7, ..noted })),
        ]));
    }

    #[test]
    fn a_stale_read_is_refused() {
        assert!(!judged(&[(0, 1, name("a"), Shown(named(2, "a"))), (2, 3, Action::Read, Shown(named(1, "")))]));
    }

    #[test]
    fn a_read_during_a_change_may_see_either_side_but_not_go_back() {
        let change = (0, 9, name("a"), Shown(named(2, "a")));
        let early = |began, ended| (began, ended, Action::Read, Shown(named(1, "")));
        let late = |began, ended| (began, ended, Action::Read, Shown(named(2, "a")));
        assert!(judged(&[change.clone(), early(1, 2), late(3, 4)]));
        assert!(judged(&[change.clone(), late(1, 4), early(2, 3)]));
        assert!(!judged(&[change, late(1, 2), early(3, 4)]));
    }

    #[test]
    fn a_lost_update_is_refused() {
        let both = [(0, 5, name("a"), Shown(named(2, "a"))), (0, 5, name("b"), Shown(named(2, "b")))];
        assert!(!judged(&both));
        let moves = |other| [(0, 5, Action::Move(1), Moved(1)), (0, 5, Action::Move(2), Moved(other))];
        assert!(!judged(&moves(2)));
        assert!(judged(&moves(3)));
        assert!(!judged(&[(0, 1, name("a"), Shown(named(2, "a"))), (2, 3, Action::Read, Shown(named(2, "")))]));
    }

    #[test]
    fn a_double_effect_is_refused() {
        assert!(!judged(&[(0, 1, Action::Move(5), Moved(5)), (2, 3, Action::Read, Shown(rich(3, 10)))]));
        assert!(!judged(&[(0, 1, Action::Move(5), Unknown), (2, 3, Action::Read, Shown(rich(3, 10)))]));
    }

    #[test]
    fn what_was_not_answered_may_have_happened_once_at_any_time_since() {
        let unknown = (4, 5, Action::Move(5), Unknown);
        let before = |began| (began, began + 1, Action::Read, Shown(rich(1, 0)));
        let after = |began| (began, began + 1, Action::Read, Shown(rich(2, 5)));
        assert!(judged(&[unknown.clone(), before(6), before(20)]));
        assert!(judged(&[unknown.clone(), before(6), after(20)]));
        assert!(judged(&[unknown.clone(), after(6), after(20)]));
        assert!(!judged(&[unknown.clone(), after(6), before(20)]));
        assert!(!judged(&[unknown, after(0)]), "not before it was asked for");
    }

    #[test]
    fn a_tag_that_lets_two_through_is_refused() {
        let through = [(0, 9, name_if(1, "a"), Shown(named(2, "a"))), (0, 9, name_if(1, "b"), Shown(named(3, "b")))];
        assert!(!judged(&through));
        assert!(!judged(&[(0, 1, name_if(1, "a"), Refused)]), "a tag that is right is not refused");
    }
}
