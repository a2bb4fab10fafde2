//! What a session was sent and has not said that it has: bounded, and in the order of the history.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most messages that may be under way to one session.
pub const MAX_UNDER_WAY: usize = 64;

/// What is under way.
pub struct Window {
    /// The place in the account's history up to which the session has everything.
    place: i64,
    under_way: VecDeque<Message>,
}

/// A message that was sent.
struct Message {
    conversation: String,
    /// The place of its event, when the session hears of it in its turn.
    place: Option<i64>,
    at: Instant,
    has_come: bool,
}

impl Window {
    /// Nothing is under way to a session that has everything up to that place.
    pub fn behind(place: i64) -> Window {
        Window { place, under_way: VecDeque::new() }
    }

    /// How many more messages may be sent.
    pub fn room(&self) -> usize {
        MAX_UNDER_WAY.saturating_sub(self.under_way.len())
    }

    /// A message was sent at that moment, about the event at that place if it is that event's turn.
    pub fn sent(&mut self, conversation: String, place: Option<i64>, at: Instant) {
        self.under_way.push_back(Message { conversation, place, at, has_come: false });
    }

    /// The session has said that it has the message. What it was not sent, or has said already, changes nothing.
    pub fn came(&mut self, conversation: &str) {
        let found = self.under_way.iter_mut().find(|message| message.conversation == conversation);
        if let Some(message) = found {
            message.has_come = true;
        }
        while let Some(message) = self.under_way.pop_front_if(|message| message.has_come) {
            // The next message may be about the same event.
            let others = self.under_way.iter().any(|other| other.place == message.place);
            if let Some(place) = message.place.filter(|_| !others) {
                self.place = place;
            }
        }
    }

    /// The place up to which the session has everything.
    pub fn place(&self) -> i64 {
        self.place
    }

    /// How long the first of what is under way has been.
    pub fn waiting(&self, now: Instant) -> Duration {
        self.under_way.front().map_or(Duration::ZERO, |message| now.saturating_duration_since(message.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_what_all_messages_before_have_come_of() {
        let now = Instant::now();
        let mut window = Window::behind(10);
        for (conversation, place) in [("a", Some(11)), ("b", Some(11)), ("again", None), ("c", Some(12))] {
            window.sent(conversation.to_owned(), place, now);
        }
        assert_eq!(window.room(), MAX_UNDER_WAY - 4);
        for (came, place, room) in [
            ("b", 10, MAX_UNDER_WAY - 4),
            ("never sent", 10, MAX_UNDER_WAY - 4),
            ("a", 11, MAX_UNDER_WAY - 2),
            ("a", 11, MAX_UNDER_WAY - 2),
            ("c", 11, MAX_UNDER_WAY - 2),
            ("again", 12, MAX_UNDER_WAY),
        ] {
            window.came(came);
            assert_eq!((window.place(), window.room()), (place, room), "{came}");
        }
    }

    #[test]
    fn room_is_bounded_and_the_first_message_counts() {
        let now = Instant::now();
        let mut window = Window::behind(0);
        assert_eq!(window.waiting(now), Duration::ZERO);
        for number in 0..MAX_UNDER_WAY {
            let at = now + Duration::from_secs(number as u64);
            window.sent(number.to_string(), Some(number as i64), at);
        }
        assert_eq!(window.room(), 0);
        let later = now + Duration::from_secs(100);
        assert_eq!(window.waiting(later), Duration::from_secs(100));
        window.came("0");
        assert_eq!((window.waiting(later), window.room()), (Duration::from_secs(99), 1));
        assert_eq!(window.waiting(now), Duration::ZERO);
    }
}
