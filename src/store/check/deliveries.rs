//! Deliveries and queues, examined: each delivery is of an event that there is, and each that is due belongs to an endpoint
//! with a queue, which is due no later.

use std::collections::HashMap;

use super::{Check, NOT_OF_ITS_KIND, Told, agree, body, called, named};
use crate::domain::account::Space;
use crate::domain::delivery::Delivery;
use crate::store::record::read_delivery;
use crate::store::rows::{Cell, Key, Row, Table, Walk};
use crate::store::{Failure, Kept, moment};

impl Check<'_> {
    /// The deliveries of an account, beside its queues and its events. An endpoint may be gone: what was to be sent to it is
    /// canceled when its turn comes.
    pub(super) fn deliveries(&mut self, space: Space) -> Kept<()> {
        let queues = self.queues(space)?;
        let mut walk = Walk::new(Table::named("webhook_deliveries"), space, None);
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            self.told.summary.deliveries += page.len() as u64;
            let mut events: Vec<Key> = Vec::new();
            for row in &page {
                let examined = delivery(&mut self.told, space, row);
                let Some(delivery) = self.told.readable(examined)? else { continue };
                let name = named("webhook delivery", delivery.id.as_str(), space);
                events.push(vec![Cell::Number(delivery.sequence), Cell::Text(delivery.event.0)]);
                let Some(due) = delivery.due else { continue };
                match queues.get(delivery.endpoint.as_str()) {
                    None => self.told.fault(format!("{name}: it is due, and its endpoint has no queue")),
                    Some(known) if *known > due.0 => {
                        self.told.fault(format!("{name}: it is due before its queue knows of anything"));
                    }
                    Some(_) => {}
                }
            }
            events.sort();
            events.dedup();
            self.present("events", space, &events, |key| {
                let [_, Cell::Text(id)] = &key[..] else { return None };
                Some(format!("{}: webhooks are to tell of it, but it is not there", named("event", id, space)))
            })?;
        }
        Ok(())
    }

    /// When something in each queue of an account is due.
    fn queues(&mut self, space: Space) -> Kept<HashMap<String, i64>> {
        let mut walk = Walk::new(Table::named("webhook_queues"), space, None);
        let mut queues = HashMap::new();
        while let Some(page) = self.told.readable(walk.next(self.rows))?.filter(|page| !page.is_empty()) {
            for row in &page {
                match &row[..] {
                    [Cell::Text(endpoint), Cell::Number(due), ..] => drop(queues.insert(endpoint.clone(), *due)),
                    _ => self.told.fault(format!("reading a webhook queue of account {}: {NOT_OF_ITS_KIND}", space.0)),
                }
            }
        }
        Ok(queues)
    }
}

fn delivery(told: &mut Told<'_>, space: Space, row: &Row) -> Kept<Delivery> {
    let (name, doing) = called("webhook delivery", &row[0], space)?;
    let read = body(row).and_then(|body| Ok(read_delivery(body)?));
    let delivery = read.map_err(|cause| Failure::broken(doing, cause))?;
    let columns = [
        Cell::Text(delivery.id.0.clone()),
        Cell::Text(delivery.endpoint.0.clone()),
        Cell::Number(delivery.sequence),
        Cell::Text(delivery.state.as_str().to_owned()),
        Cell::Number(moment(delivery.due)),
        Cell::Number(delivery.created.0),
    ];
    agree(told, &name, row, &columns);
    Ok(delivery)
}
