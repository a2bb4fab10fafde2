//! A job's transaction: states of its own of the accounts that it touches, which take the place of the common ones at the
//! end, all at once, when nobody else has changed any of them meanwhile.

use std::sync::Arc;
use std::{mem, thread};

use parking_lot::RwLock;

use super::desk::Desk;
use super::read::Source;
use super::records::{Holdings, Records, World};
use crate::domain::account::{Account, Space};
use crate::domain::api_key::ApiKey;
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, Queue};
use crate::domain::ids::DeliveryId;
use crate::domain::object::{List, Object};
use crate::domain::time::Time;
use crate::store::{Failure, Kept, KeptReply, NewEvent, Tx};

/// A job's transaction.
pub(super) struct MemoryTx<'s> {
    common: &'s RwLock<World>,
    desk: &'s Desk,
    /// The account that the job asked about first, which this thread has.
    home: Option<Space>,
    /// The account that was to be home and that another thread has.
    refused_by: Option<Space>,
    /// The common state as it was found; `None` until the job asks for something.
    found: Option<World>,
    touched: Vec<Touched>,
    /// The job has looked at all accounts.
    saw_all: bool,
    /// What the job replaces is large: letting go of it, record by record, takes so long that nobody is to wait for it.
    leaves_much: bool,
    progress: Progress,
}

/// How far a job has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Read,
    Wrote,
    Failed,
}

/// An account that the job has looked at or changed.
struct Touched {
    space: Space,
    found: Option<Arc<Records>>,
    /// As the job has it; `None` while it is as it was found.
    own: Option<Arc<Records>>,
}

/// What became of the changes.
pub(super) enum Settled {
    /// Everybody sees them.
    Kept,
    /// There are none, or they are of no use.
    Nothing(Kept<()>),
    /// Somebody else has changed what the job has seen.
    Conflict,
}

impl<'s> MemoryTx<'s> {
    pub fn new(common: &'s RwLock<World>, desk: &'s Desk, home: Option<Space>) -> MemoryTx<'s> {
        MemoryTx {
            common,
            desk,
            home,
            refused_by: None,
            found: None,
            touched: Vec::new(),
            saw_all: false,
            leaves_much: false,
            progress: Progress::Read,
        }
    }

    /// The account that this thread has on behalf of the job.
    pub fn home(&self) -> Option<Space> {
        self.home
    }

    /// The account for which the job has to wait.
    pub fn refused_by(&self) -> Option<Space> {
        self.refused_by
    }

    /// Puts the changes in the place of what was found.
    pub fn commit(mut self) -> Settled {
        match self.progress {
            Progress::Read => return Settled::Nothing(Ok(())),
            Progress::Failed => {
                let failure = Failure::broken("running a job", "it went on after a write that had failed");
                return Settled::Nothing(Err(failure));
            }
            Progress::Wrote => {}
        }
        let mut common = self.common.write();
        let as_found = |touched: &Touched| match (&touched.found, common.records(touched.space)) {
            (None, None) => true,
            (Some(found), Some(now)) => Arc::ptr_eq(found, now),
            (None, Some(_)) | (Some(_), None) => false,
        };
        let all_as_found = !self.saw_all || self.found.as_ref().is_some_and(|found| found.is(&common));
        if !all_as_found || !self.touched.iter().all(as_found) {
            return Settled::Conflict;
        }
        let mut next = common.clone();
        for Touched { space, own, .. } in &mut self.touched {
            if let Some(own) = own.take() {
                next.put(*space, own);
            }
        }
        let before = mem::replace(&mut *common, next);
        drop(common);
        let left = (before, self.found.take(), mem::take(&mut self.touched));
        if self.leaves_much {
            // Without a thread it takes its time here.
            let _ = thread::Builder::new().name("cusp-letting-go".into()).spawn(move || drop(left));
        }
        Settled::Kept
    }

    /// The common state as the job sees it, as soon as its home is its own.
    fn found(&mut self, home: Option<Space>) -> Kept<&World> {
        if let (None, Some(space)) = (self.home, home) {
            if !self.desk.take(space) {
                self.refused_by = Some(space);
                return Err(Failure::contended("running a job", "another one of the account runs"));
            }
            self.home = Some(space);
        }
        Ok(self.found.get_or_insert_with(|| self.common.read().clone()))
    }

    fn touch(&mut self, space: Space) -> Kept<&mut Touched> {
        let place = match self.touched.iter().position(|touched| touched.space == space) {
            Some(place) => place,
            None => {
                let found = self.found(Some(space))?.records(space).cloned();
                self.touched.push(Touched { space, found, own: None });
                self.touched.len() - 1
            }
        };
        Ok(&mut self.touched[place])
    }

    fn write<T>(&mut self, space: Space, work: impl FnOnce(&mut Records) -> Kept<T>) -> Kept<T> {
        let Touched { found, own, .. } = self.touch(space)?;
        let own = own.get_or_insert_with(|| found.clone().unwrap_or_default());
        let outcome = work(Arc::make_mut(own));
        match (&outcome, self.progress) {
            (Ok(_), Progress::Read) => self.progress = Progress::Wrote,
            (Ok(_), Progress::Wrote | Progress::Failed) => {}
            (Err(_), _) => self.progress = Progress::Failed,
        }
        outcome
    }

    fn replace(&mut self, space: Space, holdings: Holdings) -> Kept<()> {
        let before = self.hold(space, |held| Ok(mem::replace(held, holdings)))?;
        self.leaves_much |= before.is_large();
        Ok(())
    }

    fn hold<T>(&mut self, space: Space, work: impl FnOnce(&mut Holdings) -> Kept<T>) -> Kept<T> {
        self.write(space, |records| work(&mut records.holdings))
    }
}

impl Source for MemoryTx<'_> {
    fn records(&mut self, space: Space) -> Kept<Option<Arc<Records>>> {
        let Touched { found, own, .. } = self.touch(space)?;
        Ok(own.clone().or_else(|| found.clone()))
    }

    fn world(&mut self) -> Kept<World> {
        let mut world = self.found(None)?.clone();
        self.saw_all = true;
        for Touched { space, own, .. } in &self.touched {
            if let Some(own) = own {
                world.put(*space, Arc::clone(own));
            }
        }
        Ok(world)
    }
}

impl Tx for MemoryTx<'_> {
    fn moment(&mut self, space: Space, now: Time) -> Kept<Time> {
        // Whose moment a job asks for, there it is at home.
        self.touch(space)?;
        Ok(now)
    }

    fn wrote(&self) -> bool {
        match self.progress {
            Progress::Read => false,
            Progress::Wrote | Progress::Failed => true,
        }
    }

    fn put_account(&mut self, account: &Account) -> Kept<()> {
        self.write(account.space, |records| {
            records.account = Some(Arc::new(account.clone()));
            Ok(())
        })
    }

    fn put_customer(&mut self, space: Space, before: Option<&Customer>, after: &Customer) -> Kept<()> {
        self.hold(space, |held| match before {
            None => held.make_customer(after),
            Some(_) => held.replace_customer(after),
        })
    }

    fn put_balance_transaction(&mut self, space: Space, transaction: &BalanceTransaction) -> Kept<()> {
        self.hold(space, |held| {
            held.put_balance_transaction(transaction);
            Ok(())
        })
    }

    fn append(&mut self, space: Space, event: NewEvent<'_>) -> Kept<i64> {
        self.hold(space, |held| held.append(event))
    }

    fn put_reply(&mut self, space: Space, reply: &KeptReply) -> Kept<()> {
        self.hold(space, |held| {
            held.put_reply(reply);
            Ok(())
        })
    }

    fn forget_replies(&mut self, space: Space, keys: &[String], before: Time) -> Kept<()> {
        self.hold(space, |held| {
            keys.iter().for_each(|key| held.forget_old_reply(key, before));
            Ok(())
        })
    }

    fn put_object(&mut self, space: Space, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()> {
        self.hold(space, |held| held.put_object(object, was_on, is_on))
    }

    fn remove_object(&mut self, space: Space, object: &Object, was_on: &[List]) -> Kept<()> {
        self.hold(space, |held| held.remove_object(object, was_on))
    }

    fn put_delivery(&mut self, space: Space, delivery: &Delivery) -> Kept<()> {
        self.hold(space, |held| {
            held.deliveries.put(delivery);
            Ok(())
        })
    }

    fn put_queue(&mut self, space: Space, queue: &Queue) -> Kept<()> {
        self.hold(space, |held| {
            held.deliveries.put_queue(queue);
            Ok(())
        })
    }

    fn forget_deliveries(&mut self, space: Space, ids: &[DeliveryId]) -> Kept<()> {
        self.hold(space, |held| {
            ids.iter().for_each(|id| held.deliveries.forget(id));
            Ok(())
        })
    }

    fn claim(&mut self, spaces: &[Space]) -> Kept<()> {
        spaces.iter().try_for_each(|space| self.touch(*space).map(drop))
    }

    fn wipe(&mut self, space: Space) -> Kept<()> {
        self.replace(space, Holdings::default())
    }

    fn copy(&mut self, from: Space, to: Space) -> Kept<()> {
        let copied = self.records(from)?.map_or_else(Holdings::default, |records| records.holdings.copied());
        self.replace(to, copied)
    }

    fn put_api_key(&mut self, space: Space, key: &ApiKey) -> Kept<()> {
        self.write(space, |records| {
            records.api_keys.insert_mut(key.digest, Arc::new(key.clone()));
            Ok(())
        })
    }
}
