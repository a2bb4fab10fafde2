//! The streams that are open: how many there may be, their turns at the store, and what several of them are told at once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::super::Cusp;
use super::super::failure::Refusal;
use crate::domain::account::Space;
use crate::domain::event::Event;
use crate::domain::ids::EventId;

/// The most streams of one account in one mode.
pub const MAX_STREAMS_OF_ACCOUNT: usize = 1_000;
/// The most streams of a server.
pub const MAX_STREAMS: usize = 10_000;
/// How many streams look at the store at a time; the others wait for their turn, so that requests need not.
const LOOKS_AT_ONCE: usize = 4;

/// The streams of a server.
pub struct Streams {
    accounts: Mutex<Accounts>,
    looks: Semaphore,
}

#[derive(Default)]
struct Accounts {
    /// How many streams there are of all of them.
    open: usize,
    streamed: HashMap<Space, Streamed>,
}

/// An account that has streams.
#[derive(Default)]
struct Streamed {
    open: usize,
    /// What was read last. Streams that have told everything are all at the same place and read the same next.
    latest: Option<Arc<Page>>,
}

/// Some events that follow each other.
pub struct Page {
    /// The place behind which they are.
    pub after: i64,
    /// The event at that place; `None` at the beginning, and when the history does not reach so far.
    pub behind: Option<EventId>,
    /// When the look at them began, and when it was over.
    pub looked: (Instant, Instant),
    /// The events; none when there is nothing behind that place.
    pub news: Vec<News>,
    /// There may be more behind them.
    pub full: bool,
}

/// An event to be told.
pub struct News {
    /// The event.
    pub event: Event,
    /// How many webhooks are still to be delivered of it.
    pub pending: usize,
    /// How it is told in the account's version.
    pub told: OnceLock<Vec<u8>>,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { accounts: Mutex::default(), looks: Semaphore::new(LOOKS_AT_ONCE) }
    }
}

impl Streams {
    /// Waits for a turn to look at the store.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        self.looks.acquire().await.expect("nobody closes the semaphore")
    }

    /// The page behind that place, if somebody has begun to look at it after that moment: then it is what a look of one's
    /// own would find.
    pub fn looked_at(&self, space: Space, after: i64, since: Instant) -> Option<Arc<Page>> {
        let accounts = self.accounts.lock();
        let page = accounts.streamed.get(&space)?.latest.as_ref()?;
        (page.after == after && page.looked.0 > since).then(|| page.clone())
    }

    /// Keeps a page for others.
    pub fn share(&self, space: Space, page: &Arc<Page>) {
        if let Some(streamed) = self.accounts.lock().streamed.get_mut(&space) {
            streamed.latest = Some(page.clone());
        }
    }

    fn enter(&self, space: Space) -> Result<(), Refusal> {
        let mut accounts = self.accounts.lock();
        let of_account = accounts.streamed.get(&space).map_or(0, |streamed| streamed.open);
        let (whose, most) = if of_account >= MAX_STREAMS_OF_ACCOUNT {
            ("account", MAX_STREAMS_OF_ACCOUNT)
        } else if accounts.open >= MAX_STREAMS {
            ("server", MAX_STREAMS)
        } else {
            accounts.open += 1;
            accounts.streamed.entry(space).or_default().open += 1;
            return Ok(());
        };
        let message = format!("The {whose} has {most} event streams open, which is the most that it can have.");
        Err(Refusal::new(429, "too_many_streams", message))
    }

    fn leave(&self, space: Space) {
        let mut accounts = self.accounts.lock();
        accounts.open -= 1;
        let streamed = accounts.streamed.get_mut(&space).expect("an account with a stream is known");
        streamed.open -= 1;
        if streamed.open == 0 {
            accounts.streamed.remove(&space);
        }
    }
}

/// The room that a stream takes until it is over.
pub struct Room {
    cusp: Arc<Cusp>,
    space: Space,
}

impl Room {
    /// Room for one more stream of an account, if there is.
    pub fn take(cusp: &Arc<Cusp>, space: Space) -> Result<Room, Refusal> {
        cusp.streams.enter(space)?;
        cusp.app.meter().stream_opened();
        Ok(Room { cusp: cusp.clone(), space })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.cusp.streams.leave(self.space);
        self.cusp.app.meter().stream_closed();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn there_is_room_for_so_many_streams_and_no_more() {
        let streams = Streams::default();
        let fill = |space| (0..MAX_STREAMS_OF_ACCOUNT).for_each(|_| streams.enter(space).expect("there is room"));
        fill(Space(1));
        let refusal = streams.enter(Space(1)).expect_err("the account has no more");
        assert_eq!((refusal.status.as_u16(), refusal.code), (429, "too_many_streams"));
        (2..=(MAX_STREAMS / MAX_STREAMS_OF_ACCOUNT) as i64).for_each(|account| fill(Space(account)));
        assert!(streams.enter(Space(0)).is_err(), "the server has no more");
        streams.leave(Space(1));
        streams.enter(Space(0)).expect("there is room again");
        streams.leave(Space(0));
        for account in 1..=(MAX_STREAMS / MAX_STREAMS_OF_ACCOUNT) as i64 {
            let open = streams.accounts.lock().streamed[&Space(account)].open;
            (0..open).for_each(|_| streams.leave(Space(account)));
        }
        let accounts = streams.accounts.lock();
        assert!(accounts.open == 0 && accounts.streamed.is_empty());
    }

    #[test]
    fn a_page_is_shared_with_those_who_have_waited_for_it() {
        let (space, now) = (Space(1), Instant::now());
        let at = |millis| now + Duration::from_millis(millis);
        let streams = Streams::default();
        streams.enter(space).unwrap();
        let page = Arc::new(Page { after: 7, behind: None, looked: (at(10), at(20)), news: Vec::new(), full: false });
        streams.share(space, &page);
        assert!(streams.looked_at(space, 7, at(9)).is_some());
        assert!(streams.looked_at(space, 7, at(10)).is_none(), "it may be older than what that one has seen");
        assert!(streams.looked_at(space, 6, at(9)).is_none() && streams.looked_at(Space(2), 7, at(9)).is_none());
        streams.leave(space);
        streams.share(space, &page);
        assert!(streams.looked_at(space, 7, at(9)).is_none(), "nothing is kept for nobody");
    }
}
