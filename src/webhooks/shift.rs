//! Work on the queue of one endpoint, from taking its lease to giving it back: what is due is fetched, sent and recorded,
//! side by side.

use std::collections::HashSet;
use std::future::{self, Future};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};
use zeroize::Zeroizing;

use super::chaos::{self, Mischief};
use super::courier::Courier;
use super::lanes::{Lanes, Rider};
use super::schedule::millis;
use super::send::{self, Letter};
use super::sign;
use crate::domain::account::{Account, Space};
use crate::domain::delivery::{Attempt, Delivery, Lease, Outcome};
use crate::domain::event::Cause;
use crate::domain::ids::{DeliveryId, WebhookEndpointId};
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;
use crate::engine::deliveries::{self, End, Ended, Report};
use crate::engine::{Ctx, Done, Stop};
use crate::store::{Failure, Kept, Read, Tx};

/// How long a lease lasts that is not renewed: so long after a server has died, another one takes its queues.
pub const LEASE: Duration = Duration::from_secs(10);
/// How long before its end a lease is no longer relied upon.
const CAUTION: Duration = Duration::from_secs(1);
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// The most deliveries of a queue that are at hand: waiting, on their way, or to be recorded.
const WINDOW: usize = 256;
/// The most deliveries that are on their way to one endpoint. An endpoint begins with one, gets one more for each
/// success, and half as many after a failure.
const MAX_AT_ONCE: usize = 64;
/// An answer that takes longer is slow.
const SLOW: Duration = Duration::from_secs(1);
/// The most deliveries that are on their way to an endpoint that is slow: it takes nobody else's places for long.
const MAX_AT_ONCE_IF_SLOW: usize = 8;
/// How long to wait between two looks, so that what comes meanwhile comes along.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long to wait between two records, so that what ends meanwhile is recorded in one transaction.
const GATHER: Duration = Duration::from_millis(5);
/// How long a queue that is empty is kept, so that what comes next need not take a lease first.
const LINGER: Duration = Duration::from_secs(2);
/// How long to wait when the store is in trouble.
const PAUSE: Duration = Duration::from_secs(1);
/// How long chaos holds a delivery back for the next one to come.
const HELD_FOR: Duration = Duration::from_millis(500);

/// Somebody at work on a queue.
pub(super) struct Shift {
    pub courier: Arc<Courier>,
    pub space: Space,
    pub endpoint: WebhookEndpointId,
    /// Told when there is more in the queue.
    pub wake: Arc<Notify>,
    pub stop: watch::Receiver<bool>,
}

/// A delivery ready to be sent.
struct Parcel {
    delivery: DeliveryId,
    made: Time,
    about: String,
    fresh: bool,
    url: Arc<str>,
    secrets: Arc<[Zeroizing<String>]>,
    body: Bytes,
}

impl Rider for Parcel {
    fn lane(&self) -> &str {
        &self.about
    }

    fn id(&self) -> &DeliveryId {
        &self.delivery
    }
}

/// What is due.
struct Fetched {
    /// Whose it is; `None` when there is no such endpoint any more.
    endpoint: Option<WebhookEndpoint>,
    parcels: Vec<Parcel>,
    /// Those of an endpoint that takes nothing any more.
    canceled: Vec<(DeliveryId, Time)>,
    /// There may be more that is due.
    more: bool,
    /// When something is due next, if nothing is now.
    next: Option<Time>,
}

/// What came of a parcel.
struct Finished {
    delivery: DeliveryId,
    made: Time,
    about: String,
    attempt: Attempt,
}

/// Something that is being done.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What was to be recorded, and whether the queue is still ours; nothing is recorded when that is a failure.
type Recorded = (Arc<Report>, Kept<bool>);

/// Waits for what is being done; for ever, when nothing is.
async fn done<T>(doing: &mut Option<Work<T>>) -> T {
    let outcome = match doing {
        Some(work) => work.await,
        None => future::pending().await,
    };
    *doing = None;
    outcome
}

impl Shift {
    /// Works until nothing is due for a while, another server has the queue, or the server stops.
    pub async fn work(mut self) {
        // Its panics are its own: the hook has logged where it was.
        let worked = AssertUnwindSafe(self.try_to_work()).catch_unwind().await;
        let trouble = match worked {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        tracing::warn!(endpoint = self.endpoint.as_str(), "working on a webhook queue: {trouble}");
        // Whoever looks for work finds the queue again.
        sleep(PAUSE).await;
    }

    async fn try_to_work(&mut self) -> Kept<()> {
        let space = self.space;
        let Some(account) = self.courier.app.look(move |read| read.account(space)).await? else {
            return Err(Failure::broken("looking for an account", "it has a webhook queue and is not there"));
        };
        let account = Arc::new(account);
        let good_until = Instant::now() + LEASE - CAUTION;
        let Some(failing) = self.lease(&account).await? else { return Ok(()) };
        let ours = self.serve(&account, failing, good_until).await?;
        if ours {
            let (endpoint, owner) = (self.endpoint.clone(), self.courier.name.clone());
            let release = move |tx: &mut dyn Tx| deliveries::release(tx, space, &endpoint, &owner);
            self.courier.app.chore("giving a webhook queue back", release).await?;
        }
        Ok(())
    }

    /// Takes the lease, and says whether the endpoint has been failing; `None` when another server has it.
    async fn lease(&self, account: &Arc<Account>) -> Kept<Option<bool>> {
        let (endpoint, owner) = (self.endpoint.clone(), self.courier.name.clone());
        let take = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| {
            let lease = Lease { owner: owner.clone(), until: ctx.now.plus_millis(millis(LEASE)) };
            Ok(deliveries::lease(tx, ctx, &endpoint, lease)?)
        };
        let taken = self.courier.app.transact(account.clone(), Cause::default(), take).await;
        Ok(kept(taken)?.map(|queue| queue.failing_since.is_some()))
    }

    /// Serves the queue that it has the lease of until that moment, unless it is renewed; `false` when it has lost it.
    async fn serve(&mut self, account: &Arc<Account>, failing: bool, mut good_until: Instant) -> Kept<bool> {
        let mut lanes: Lanes<Parcel> = Lanes::default();
        let mut sending = FuturesUnordered::new();
        let mut ended: Vec<Ended> = Vec::new();
        let mut fetching: Option<Work<Kept<Fetched>>> = None;
        let mut recording: Option<Work<Recorded>> = None;
        let (mut record_again, mut renewed) = (Instant::now(), Instant::now());
        let mut held: Option<(Parcel, Instant)> = None;
        let (mut at_once, mut failing) = (1, failing);
        let (mut look, mut ours, mut stopping) = (true, true, false);
        let mut seen: Option<Option<WebhookEndpoint>> = None;
        let (mut next_look, mut look_again) = (Instant::now() + self.courier.look_every, Instant::now());
        let mut renew = Instant::now() + RENEW_EVERY;
        let mut idle_until = Instant::now() + LINGER;
        let wake = self.wake.clone();
        loop {
            if let Some((parcel, _)) = held.take_if(|(_, until)| *until <= Instant::now() || stopping) {
                lanes.join(parcel);
            }
            while !stopping && ours && sending.len() < at_once && Instant::now() < good_until {
                let Some(parcel) = lanes.next() else { break };
                sending.push(self.send(parcel, failing));
            }
            let now = Instant::now();
            let may_look = ours && !stopping && fetching.is_none();
            if may_look && (now >= next_look || (look && now >= look_again && lanes.len() <= WINDOW / 2)) {
                (look, next_look, look_again) = (false, now + self.courier.look_every, now + LOOK_AGAIN);
                fetching = Some(self.fetch(account, &lanes));
            }
            let may_record = recording.is_none() && now >= record_again;
            if may_record && (!ended.is_empty() || (ours && now >= renew)) {
                (renew, renewed) = (now + RENEW_EVERY, now);
                recording = Some(self.record(account, std::mem::take(&mut ended)));
            }
            let busy =
                !sending.is_empty() || fetching.is_some() || recording.is_some() || held.is_some() || !ended.is_empty();
            let idle = lanes.len() == 0 && !look && Instant::now() >= idle_until;
            if !busy && (stopping || !ours || idle) {
                return Ok(ours);
            }
            // Only what can be acted on is waited for.
            let wait_for = [
                (ours && !stopping && fetching.is_none()).then_some(next_look),
                (ours && !stopping && fetching.is_none() && look && lanes.len() <= WINDOW / 2).then_some(look_again),
                (ours && recording.is_none()).then_some(renew.max(record_again)),
                (recording.is_none() && !ended.is_empty()).then_some(record_again),
                held.as_ref().map(|(_, until)| *until),
            ];
            let next_moment = wait_for.into_iter().flatten().min().unwrap_or(now + self.courier.look_every);
            tokio::select! {
                Some(Finished { delivery, made, about, attempt }) = sending.next(), if !sending.is_empty() => {
                    lanes.leave(&about);
                    if let Some((parcel, _)) = held.take() {
                        lanes.join(parcel);
                    }
                    failing = !attempt.succeeded();
                    let slow = attempt.took_millis >= millis(SLOW);
                    let most = if slow { MAX_AT_ONCE_IF_SLOW } else { MAX_AT_ONCE };
                    at_once = if failing { at_once.div_ceil(2) } else { (at_once + 1).min(most) };
                    if matches!(attempt.outcome, Outcome::Unanswered(_)) {
                        at_once = 1;
                    }
                    ended.push(Ended { delivery, made, end: End::Tried(attempt) });
                }
                fetched = done(&mut fetching) => {
                    let Fetched { endpoint, parcels, canceled, more, next } = match fetched {
                        Ok(fetched) => fetched,
                        Err(failure) => {
                            tracing::warn!(endpoint = self.endpoint.as_str(), "looking for what is due: {failure}");
                            (look, look_again) = (true, Instant::now() + PAUSE);
                            continue;
                        }
                    };
                    look |= more;
                    if seen.as_ref().is_some_and(|seen| *seen != endpoint) {
                        // What waits was made for the endpoint as it was: all of it is fetched again, in its order.
                        if let Some((parcel, _)) = held.take() {
                            lanes.forget(&parcel.delivery);
                        }
                        lanes.clear();
                        (seen, look) = (Some(endpoint), true);
                        continue;
                    }
                    seen = Some(endpoint);
                    if !parcels.is_empty() || !canceled.is_empty() {
                        idle_until = Instant::now() + LINGER;
                    } else if let Some(next) = next {
                        let wait = next.0.saturating_sub(self.courier.app.now().0);
                        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
                        next_look = next_look.min(Instant::now() + wait.max(Duration::from_millis(1)));
                    }
                    for (delivery, made) in canceled {
                        lanes.note(delivery.clone());
                        ended.push(Ended { delivery, made, end: End::Canceled });
                    }
                    for parcel in parcels {
                        if held.is_none() && parcel.fresh && self.mischief(&parcel.delivery).behind_next {
                            lanes.note(parcel.delivery.clone());
                            held = Some((parcel, Instant::now() + HELD_FOR));
                        } else {
                            lanes.join(parcel);
                        }
                    }
                }
                recorded = done(&mut recording) => {
                    let (report, outcome) = recorded;
                    match outcome {
                        Ok(still_ours) => {
                            report.ended.iter().for_each(|ended| lanes.forget(&ended.delivery));
                            good_until = renewed + LEASE - CAUTION;
                            record_again = Instant::now() + GATHER;
                            if !still_ours {
                                ours = false;
                                lanes.clear();
                            }
                        }
                        // Whoever has the queue after us sends again what could not be recorded.
                        Err(failure) if Instant::now() >= good_until => return Err(failure),
                        Err(failure) => {
                            tracing::warn!(endpoint = self.endpoint.as_str(), "recording webhooks: {failure}");
                            ended.splice(0..0, report.ended.iter().cloned());
                            record_again = Instant::now() + PAUSE;
                        }
                    }
                }
                // Being called is no reason to stay: a queue counts as due for as long as it is worked on, and is called
                // to over and over.
                () = wake.notified() => look = true,
                () = sleep_until(next_moment) => {}
                () = stopped(&mut self.stop), if !stopping => {
                    stopping = true;
                    lanes.clear();
                }
            }
        }
    }

    fn mischief(&self, delivery: &DeliveryId) -> Mischief {
        self.courier.chaos.map(|seed| chaos::decide(seed, delivery.as_str())).unwrap_or_default()
    }

    /// Sends a parcel.
    fn send(&self, parcel: Parcel, failing: bool) -> impl Future<Output = Finished> + Send + use<> {
        let courier = self.courier.clone();
        let Mischief { duplicate, delay, behind_next: _ } = self.mischief(&parcel.delivery);
        async move {
            let Parcel { delivery, made, about, fresh, url, secrets, body } = parcel;
            if fresh && !delay.is_zero() {
                sleep(delay).await;
            }
            let permits = if failing { &courier.to_failing } else { &courier.to_healthy };
            let _permit = permits.acquire().await.expect("nobody closes it");
            let once = async || {
                let at = courier.app.now();
                let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
                let signature = sign::header(&secrets, at, &body);
                let letter = Letter { url: &url, signature: &signature, body: body.clone() };
                let send::Attempt { took, outcome } = courier.sender.send(letter).await;
                Attempt { at, took_millis: millis(took), url: url.to_string(), outcome: outcome.into() }
            };
            let attempt = once().await;
            courier.app.meter().webhook(attempt.succeeded());
            if duplicate && attempt.succeeded() {
                once().await;
            }
            Finished { delivery, made, about, attempt }
        }
    }

    /// Fetches what is due and not at hand.
    fn fetch(&self, account: &Arc<Account>, lanes: &Lanes<Parcel>) -> Work<Kept<Fetched>> {
        let (courier, account, id) = (self.courier.clone(), account.clone(), self.endpoint.clone());
        let known = lanes.known().clone();
        Box::pin(async move {
            let now = courier.app.now();
            let app = courier.app.clone();
            app.scan(move |read| fetch(read, &courier, &account, &id, &known, now)).await
        })
    }

    /// Records what came of deliveries, and renews the lease; gives what was recorded, and whether the queue is still ours.
    fn record(&self, account: &Arc<Account>, ended: Vec<Ended>) -> Work<Recorded> {
        let (courier, account, endpoint) = (self.courier.clone(), account.clone(), self.endpoint.clone());
        Box::pin(async move {
            let report = Report { endpoint, owner: courier.name.clone(), lease_millis: millis(LEASE), ended };
            let (report, rhythm) = (Arc::new(report), courier.clone());
            let reported = report.clone();
            let record = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| deliveries::record(tx, ctx, &reported, &rhythm.schedule);
            let ours = kept(courier.app.transact(account, Cause::default(), record).await);
            (report, ours)
        })
    }
}

/// What is due of an endpoint and not `known`, ready to be sent.
fn fetch(
    read: &mut dyn Read,
    courier: &Courier,
    account: &Account,
    id: &WebhookEndpointId,
    known: &HashSet<DeliveryId>,
    now: Time,
) -> Kept<Fetched> {
    let space = account.space;
    let endpoints = read.endpoints(space)?;
    let room = WINDOW.saturating_sub(known.len());
    let due = read.due_deliveries(space, id, now, known.len() + room)?;
    let more = due.len() == known.len() + room;
    let fresh: Vec<Delivery> = due.into_iter().filter(|delivery| !known.contains(&delivery.id)).collect();
    let found = endpoints.iter().find(|endpoint| endpoint.id == *id).cloned();
    let Some(endpoint) = found.as_ref().filter(|endpoint| endpoint.enabled) else {
        let canceled = fresh.into_iter().map(|delivery| (delivery.id, delivery.created)).collect();
        return Ok(Fetched { endpoint: found, parcels: Vec::new(), canceled, more, next: None });
    };
    // All that is to be looked up is asked for before an answer is needed.
    let events: Vec<_> = fresh.iter().map(|delivery| read.event(space, &delivery.event)).collect();
    let open: Vec<_> = fresh.iter().map(|delivery| read.open_deliveries(space, delivery.sequence)).collect();
    let next = if fresh.is_empty() { read.due_deliveries(space, id, Time(i64::MAX - 1), 1) } else { Ok(Vec::new()) };
    let url: Arc<str> = endpoint.url.as_str().into();
    let key = courier.app.secrets_key().expect("a server without the key has no courier");
    let secrets: Arc<[_]> = endpoint.salts(now).map(|salt| key.webhook_secret(salt)).collect();
    let (mut parcels, mut canceled) = (Vec::new(), Vec::new());
    for ((delivery, event), open) in fresh.into_iter().zip(events).zip(open) {
        let Some(event) = event? else {
            canceled.push((delivery.id, delivery.created));
            continue;
        };
        let body = courier.render.render(&event, account, endpoint.api_version.as_deref(), open?);
        let Delivery { id, created: made, about, attempts, .. } = delivery;
        let (url, secrets) = (url.clone(), secrets.clone());
        parcels.push(Parcel { delivery: id, made, about, fresh: attempts == 0, url, secrets, body: body.into() });
    }
    let next = next?.first().and_then(|delivery| delivery.due).filter(|due| *due > now);
    Ok(Fetched { endpoint: found, parcels, canceled, more, next })
}

/// Waits until the server is to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // When whoever stops servers is gone, so is the server.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a verb of ours gives: it refuses nothing.
fn kept<T>(done: Done<T>) -> Kept<T> {
    done.map_err(|stop| match stop {
        Stop::Failure(failure) => failure,
        Stop::Problem(problem) => Failure::broken("working on a webhook queue", format!("{problem:?}")),
    })
}
