//! The webhook endpoints of accounts that were written to lately. The head of an account, which every writer holds, says
//! which are its latest; so a change asks the database for them only after they have changed.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::account::Space;
use crate::domain::webhook::WebhookEndpoint;

/// The most accounts whose endpoints are remembered.
const MOST: usize = 65_536;

/// Endpoints by account.
#[derive(Default)]
pub(super) struct Listeners {
    known: Mutex<HashMap<Space, Numbered>>,
}

/// Endpoints with the number that the head had for them.
type Numbered = (i64, Arc<[WebhookEndpoint]>);

impl Listeners {
    /// The endpoints of that number, if they are remembered. Before the first change there are none.
    pub fn find(&self, space: Space, number: i64) -> Option<Arc<[WebhookEndpoint]>> {
        if number == 0 {
            return Some(Arc::default());
        }
        self.known.lock().get(&space).filter(|(known, _)| *known == number).map(|(_, endpoints)| endpoints.clone())
    }

    /// Remembers them.
    pub fn keep(&self, space: Space, number: i64, endpoints: &Arc<[WebhookEndpoint]>) {
        let mut known = self.known.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(space, (number, endpoints.clone()));
    }
}

/// A number for endpoints that have changed. It is drawn, not counted, because what was changed may be undone, and then
/// the next change must not have its number.
pub(super) fn throw() -> i64 {
    super::throw().cast_signed() | 1
}
