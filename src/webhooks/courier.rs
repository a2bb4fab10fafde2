//! The courier of a server: finds queues in which something is due, and has somebody work on each of them. Several servers
//! on one database have a courier each; which of them works on a queue, its lease says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::guard::SystemResolver;
use super::schedule::Schedule;
use super::send::Sender;
use super::shift::{Shift, stopped};
use crate::app::App;
use crate::domain::account::Space;
use crate::domain::ids::WebhookEndpointId;
use crate::feed::RenderEvent;
use crate::settings::Webhooks;
use crate::store::Kept;

/// How often a courier looks for queues that nobody called it to: retries, and what other servers have left.
const LOOK_AROUND_EVERY: Duration = Duration::from_secs(1);
/// How often a queue is looked at that nobody called about, to see whether its endpoint has changed.
const LOOK_EVERY_ALONE: Duration = Duration::from_secs(1);
/// The same where other servers may have put something in.
const LOOK_EVERY_BESIDE_OTHERS: Duration = Duration::from_millis(500);
/// How long a courier that was called waits for others to call.
const GATHERING: Duration = Duration::from_millis(2);
/// The most queues that one server works on at a time.
const MAX_SHIFTS: usize = 2_048;
/// The most webhooks that are on their way to endpoints that answer.
const MAX_SENDING: usize = 512;
/// The most webhooks that are on their way to endpoints that failed lately: so few that they cannot take all the places for
/// looking names up.
const MAX_PROBING: usize = 64;
/// How many queues of endpoints that failed lately are worked on at a time.
const MAX_FAILING_SHIFTS: usize = 1_024;

/// What those who work on queues share.
pub struct Courier {
    pub(super) app: Arc<App>,
    pub(super) render: Arc<dyn RenderEvent>,
    pub(super) sender: Sender,
    pub(super) schedule: Schedule,
    /// This server, as leases name it.
    pub(super) name: String,
    pub(super) chaos: Option<u64>,
    /// How often a queue is looked at that nobody called about.
    pub(super) look_every: Duration,
    pub(super) to_healthy: Semaphore,
    pub(super) to_failing: Semaphore,
}

type Queue = (Space, WebhookEndpointId);

/// How somebody who works on a queue is woken, and whether its endpoint was failing when he began.
type Working = (Arc<Notify>, bool);

impl Courier {
    /// The name of a server that has its store for itself: after a restart it has its leases still.
    pub const ALONE: &str = "alone";

    /// A courier of a server of that name, which no other server on the store has. It signs with the server's key. Says
    /// what is wrong with the settings.
    pub fn new(
        app: Arc<App>,
        render: Arc<dyn RenderEvent>,
        name: String,
        settings: &Webhooks,
    ) -> Result<Courier, String> {
        let alone = name == Courier::ALONE;
        Ok(Courier {
            app,
            render,
            sender: Sender::new(settings, Arc::new(SystemResolver::default()))?,
            schedule: Schedule::new(settings),
            name,
            chaos: settings.chaos,
            look_every: if alone { LOOK_EVERY_ALONE } else { LOOK_EVERY_BESIDE_OTHERS },
            to_healthy: Semaphore::new(MAX_SENDING),
            to_failing: Semaphore::new(MAX_PROBING),
        })
    }

    /// Works until it is stopped, and then for at most `patience` longer: what is on its way is waited for and recorded,
    /// and queues are given back.
    pub async fn run(self: Arc<Courier>, mut stop: watch::Receiver<bool>, patience: Duration) {
        let mut shifts: JoinSet<Queue> = JoinSet::new();
        let mut working: HashMap<Queue, Working> = HashMap::new();
        let mut tidied = Instant::now();
        let mut around = interval(LOOK_AROUND_EVERY);
        around.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopping = stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(ended) = shifts.join_next(), if !shifts.is_empty() => match ended {
                    Ok(queue) => drop(working.remove(&queue)),
                    Err(error) => {
                        tracing::error!("working on a webhook queue: {error}");
                        // Which one it was is not known; one that is worked on tells so by its lease.
                        working.retain(|_, (wake, _)| Arc::strong_count(wake) > 1);
                    }
                },
                spaces = self.app.mailbox().take() => {
                    working.iter().filter(|((space, _), _)| spaces.contains(space)).for_each(|(_, (wake, _))| wake.notify_one());
                    // Under load, accounts are noted all the time: those that are noted meanwhile come along.
                    sleep(GATHERING).await;
                }
                _ = around.tick() => {}
            }
            if tidied.elapsed() >= LOOK_AROUND_EVERY {
                tidied = Instant::now();
                self.sender.tidy();
            }
            match self.due(MAX_SHIFTS + working.len()).await {
                Ok(due) => {
                    let mut failing_now = working.values().filter(|(_, failing)| *failing).count();
                    for (queue, failing) in due {
                        if let Some((wake, _)) = working.get(&queue) {
                            wake.notify_one();
                            continue;
                        }
                        if working.len() >= MAX_SHIFTS || (failing && failing_now >= MAX_FAILING_SHIFTS) {
                            continue;
                        }
                        failing_now += usize::from(failing);
                        let wake = Arc::new(Notify::new());
                        working.insert(queue.clone(), (wake.clone(), failing));
                        let (space, endpoint) = queue.clone();
                        let shift = Shift { courier: self.clone(), space, endpoint, wake, stop: stopping.clone() };
                        shifts.spawn(async move {
                            shift.work().await;
                            queue
                        });
                    }
                }
                Err(failure) => tracing::warn!("looking for webhooks that are due: {failure}"),
            }
        }
        let ended = timeout(patience, async { while shifts.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("webhooks that were on their way when the server stopped will be sent again");
        }
    }

    /// Queues in which something is due and on which no other server works, and whether their endpoints fail.
    async fn due(&self, most: usize) -> Kept<Vec<(Queue, bool)>> {
        let now = self.app.now();
        let name = self.name.clone();
        let due = self.app.scan(move |read| read.queues_due(&name, now, most)).await?;
        Ok(due.into_iter().map(|(space, queue)| ((space, queue.endpoint), queue.failing_since.is_some())).collect())
    }
}
