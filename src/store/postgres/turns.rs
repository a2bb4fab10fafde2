//! Turns: which transactions wrote to an account last, as the account's head holds them. A connection that breaks while a
//! commit is under way leaves its server not knowing what became of it; the next look at the head tells.

use std::fmt;

/// How many servers' latest turns a head holds.
const MAX_SERVERS: usize = 16;

/// Stands in the place of a turn for a transaction that was at home in another account.
const GUEST: &str = "guest";

/// One transaction of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// A random number that the server has for as long as it runs.
    pub server: u64,
    /// Counts up.
    pub number: u64,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", name(self.server), self.number)
    }
}

/// How a server's turns begin.
pub(super) fn name(server: u64) -> String {
    format!("{server:016x}:")
}

/// What a head tells of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was committed.
    Done,
    /// It was not.
    NotDone,
    /// So many servers have written since that nothing is known of it.
    Forgotten,
}

/// The turns with one more, the newest first: of each server its latest.
pub(super) fn with(turns: &str, turn: Turn) -> String {
    let name = name(turn.server);
    before(&turn.to_string(), turns, |known| !known.starts_with(&name))
}

/// The turns behind a transaction that was at home in another account, where its server looks for it. Its turn must not
/// take the place of one that the server may still have to look for here.
pub(super) fn with_guest(turns: &str) -> String {
    before(GUEST, turns, |_| true)
}

fn before(newest: &str, turns: &str, stays: impl Fn(&str) -> bool) -> String {
    let others = turns.split_ascii_whitespace().filter(|known| *known != GUEST && stays(known));
    std::iter::once(newest).chain(others.take(MAX_SERVERS - 1)).collect::<Vec<_>>().join(" ")
}

/// What became of a turn. A server asks before it takes another one.
pub(super) fn find(turns: &str, turn: Turn) -> Found {
    let name = name(turn.server);
    let latest = turns.split_ascii_whitespace().find_map(|known| known.strip_prefix(&name));
    match latest {
        Some(number) if number == turn.number.to_string() => Found::Done,
        Some(_) => Found::NotDone,
        None if turns.split_ascii_whitespace().count() < MAX_SERVERS => Found::NotDone,
        None => Found::Forgotten,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(server: u64, number: u64) -> Turn {
        Turn { server, number }
    }

    #[test]
    fn the_latest_turn_of_each_server_is_known() {
        let turns = with(&with(&with("", turn(1, 1)), turn(2, 7)), turn(1, 2));
        assert_eq!(turns, "0000000000000001:2 0000000000000002:7");
        assert_eq!(find(&turns, turn(1, 2)), Found::Done);
        assert_eq!(find(&turns, turn(1, 3)), Found::NotDone);
        assert_eq!(find(&turns, turn(2, 7)), Found::Done);
        assert_eq!(find(&turns, turn(3, 1)), Found::NotDone);
    }

    #[test]
    fn a_guest_leaves_the_turns_that_there_are() {
        let turns = with_guest(&with_guest(&with("", turn(1, 5))));
        assert_eq!(turns, "guest 0000000000000001:5");
        assert_eq!(find(&turns, turn(1, 5)), Found::Done);
        assert_eq!(with(&turns, turn(2, 1)), "0000000000000002:1 0000000000000001:5");
    }

    #[test]
    fn a_crowd_of_servers_makes_old_turns_forgotten() {
        let mut turns = with("", turn(99, 1));
        for server in 0..15 {
            turns = with(&turns, turn(server, 1));
        }
        assert_eq!(find(&turns, turn(99, 1)), Found::Done);
        turns = with(&turns, turn(50, 1));
        assert_eq!(find(&turns, turn(99, 1)), Found::Forgotten);
        assert_eq!(find(&turns, turn(0, 1)), Found::Done);
    }
}
