//! What is to be sent to one endpoint, in lanes: what is about one customer goes one after the other, different customers
//! go side by side.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::domain::ids::DeliveryId;

/// Something for a lane.
pub(super) trait Rider {
    /// Whom it is about.
    fn lane(&self) -> &str;
    /// Its delivery.
    fn id(&self) -> &DeliveryId;
}

/// What waits, and which lanes are taken.
pub(super) struct Lanes<R> {
    /// Whose lane is free.
    ready: VecDeque<R>,
    /// The lanes in which something is ready or on its way, with what waits behind it.
    lanes: HashMap<String, VecDeque<R>>,
    /// Everything that came in and was not let go of.
    known: HashSet<DeliveryId>,
}

impl<R> Default for Lanes<R> {
    fn default() -> Lanes<R> {
        Lanes { ready: VecDeque::new(), lanes: HashMap::new(), known: HashSet::new() }
    }
}

impl<R: Rider> Lanes<R> {
    /// How much came in and was not let go of.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// What is here: waiting, on its way, or still to be recorded.
    pub fn known(&self) -> &HashSet<DeliveryId> {
        &self.known
    }

    /// Takes one in, behind what is about the same customer.
    pub fn join(&mut self, rider: R) {
        self.known.insert(rider.id().clone());
        match self.lanes.get_mut(rider.lane()) {
            Some(behind) => behind.push_back(rider),
            None => {
                self.lanes.insert(rider.lane().to_owned(), VecDeque::new());
                self.ready.push_back(rider);
            }
        }
    }

    /// The next one to be sent; its lane is taken until [`Lanes::leave`].
    pub fn next(&mut self) -> Option<R> {
        self.ready.pop_front()
    }

    /// Frees the lane of what was sent.
    pub fn leave(&mut self, lane: &str) {
        match self.lanes.get_mut(lane).and_then(VecDeque::pop_front) {
            Some(next) => self.ready.push_back(next),
            None => drop(self.lanes.remove(lane)),
        }
    }

    /// Takes note of one that was dealt with without being sent.
    pub fn note(&mut self, id: DeliveryId) {
        self.known.insert(id);
    }

    /// Lets go of one that was recorded.
    pub fn forget(&mut self, id: &DeliveryId) {
        self.known.remove(id);
    }

    /// Lets go of everything that is not on its way. The lanes of what is on its way stay taken.
    pub fn clear(&mut self) {
        for rider in self.ready.drain(..) {
            self.known.remove(rider.id());
            let behind = self.lanes.remove(rider.lane()).unwrap_or_default();
            for rider in behind {
                self.known.remove(rider.id());
            }
        }
        for behind in self.lanes.values_mut().flat_map(|behind| behind.drain(..)) {
            self.known.remove(behind.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Thing(&'static str, DeliveryId);

    impl Rider for Thing {
        fn lane(&self) -> &str {
            self.0
        }

        fn id(&self) -> &DeliveryId {
            &self.1
        }
    }

    fn thing(lane: &'static str, id: &str) -> Thing {
        Thing(lane, DeliveryId(id.into()))
    }

    fn ids(lanes: &mut Lanes<Thing>) -> Vec<String> {
        std::iter::from_fn(|| lanes.next()).map(|thing| thing.1.0).collect()
    }

    #[test]
    fn one_of_a_lane_goes_at_a_time_and_in_order() {
        let mut lanes = Lanes::default();
        for (lane, id) in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")] {
            lanes.join(thing(lane, id));
        }
        assert_eq!(ids(&mut lanes), ["1", "3"]);
        lanes.leave("b");
        assert_eq!(ids(&mut lanes), [""; 0]);
        lanes.leave("a");
        assert_eq!(ids(&mut lanes), ["2"]);
        lanes.join(thing("b", "5"));
        lanes.leave("a");
        assert_eq!(ids(&mut lanes), ["5", "4"]);
        lanes.leave("a");
        lanes.leave("b");
        assert!(lanes.lanes.is_empty());
    }

    #[test]
    fn what_came_in_is_known_until_it_is_let_go_of() {
        let mut lanes = Lanes::default();
        for (lane, id) in [("a", "1"), ("a", "2"), ("b", "4"), ("b", "5")] {
            lanes.join(thing(lane, id));
        }
        let first = lanes.next().unwrap();
        lanes.note(DeliveryId("3".into()));
        assert_eq!(lanes.len(), 5);
        lanes.clear();
        assert!(lanes.known().contains(first.id()) && lanes.len() == 2 && lanes.next().is_none());
        lanes.join(thing("a", "6"));
        assert!(lanes.next().is_none(), "the first one is still on its way");
        lanes.leave("a");
        assert_eq!(ids(&mut lanes), ["6"]);
        lanes.forget(first.id());
        assert_eq!(lanes.len(), 2);
    }
}
