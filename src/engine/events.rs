//! Events: read and list. They are written by the verbs that make them happen.

use super::Done;
use crate::domain::account::Account;
use crate::domain::event::Event;
use crate::domain::ids::EventId;
use crate::domain::page::{EventPage, Page};
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::store::Read;

/// An event that happened at or after `since`; older ones are history, not news.
pub fn read(tx: &mut dyn Read, account: &Account, id: &EventId, since: Time) -> Done<Event> {
    let found = tx.event(account.space, id)?.filter(|event| event.created >= since);
    Ok(found.ok_or_else(|| Problem::NoSuchEvent(id.clone()))?)
}

/// A page of events.
pub fn list(tx: &mut dyn Read, account: &Account, page: &EventPage) -> Done<Page<Event>> {
    Ok(tx.events(account.space, page)?)
}
