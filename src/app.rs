//! The only bridge from the asynchronous edges to the synchronous core: runs verbs on the store, knows which account a
//! key opens, and keeps two uses of one idempotency key apart.

mod jobs;
mod sandboxes;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::domain::account::{Account, FingerprintKey, Mode, Space};
use crate::domain::api_key::{ApiKey, KeyDigest, KeyKind};
use crate::domain::event::Cause;
use crate::domain::ids::{AccountId, EventId, IdSource, RequestId};
use crate::domain::unit::{TenantId, UnitChange};
use crate::engine::units::{self, Changed};
use crate::engine::{Bell, Ctx, Done, accounts, deliveries, keys, replies};
use crate::failures::Failures;
use crate::feed::{Feed, Mailbox};
use crate::identity;
use crate::ids::{Ids, Repeated};
use crate::listeners::Listeners;
use crate::processor::{self, Ask, AttemptKey, Finding, Processor, Question};
use crate::secrets_key::SecretsKey;
use crate::settings::{Openness, Targets};
use crate::store::{Failure, Kept, Read, Store, Tx};
use jobs::{Chore, Glance, Herald, Work};

/// How long a key that was looked up is believed; a revoked key may go on for so long.
pub const KEY_BELIEVED_FOR: Duration = Duration::from_secs(1);
/// How long an account that was looked up is believed: so long an operator's change may go unnoticed.
pub const ACCOUNT_BELIEVED_FOR: Duration = Duration::from_secs(1);
/// The most keys and accounts remembered at a time.
pub const MAX_REMEMBERED: usize = 65_536;
/// How many kept replies, or deliveries, are forgotten at a time, so that writers need not wait for it.
pub const PRUNE_AT_ONCE: usize = 1_000;

/// Where the time of a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the request's head to a change that can be run.
    Parse,
    /// In the queue for the writer.
    Wait,
    /// Running the verb.
    Store,
    /// Making the reply's bytes.
    Render,
    /// From the end of the verb until the commit is on disk.
    Commit,
}

impl Stage {
    /// Every stage, in the order of the way.
    pub const ALL: [Stage; 5] = [Stage::Parse, Stage::Wait, Stage::Store, Stage::Render, Stage::Commit];

    /// The stage's name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Parse => "parse",
            Stage::Wait => "wait",
            Stage::Store => "store",
            Stage::Render => "render",
            Stage::Commit => "commit",
        }
    }
}

/// Somebody who keeps count of where time goes.
pub trait Meter: Send + Sync {
    /// So long in that stage.
    fn stage(&self, stage: Stage, took: Duration);
    /// A kept reply was given again.
    fn replayed(&self);
    /// A request was refused for its rate.
    fn rate_limited(&self);
    /// An event stream began.
    fn stream_opened(&self);
    /// It is over.
    fn stream_closed(&self);
    /// A webhook was sent, and taken or not.
    fn webhook(&self, succeeded: bool);
}

/// Who is asking, and for whom.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose records.
    pub account: Arc<Account>,
    /// The account that the key belongs to; another one than `account` when it acts for a connected account.
    pub key: Arc<ApiKey>,
}

/// Somebody who was let in, as he is known again without his key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The digest of his key.
    pub key: KeyDigest,
    /// The account that the key belongs to.
    pub owner: AccountId,
    /// The account that he asked for; another one than the owner when it is a connected account.
    pub account: AccountId,
    /// In which mode.
    pub mode: Mode,
}

/// Why a key opens nothing.
#[derive(Debug)]
pub enum Closed {
    /// There is no such key.
    Unknown,
    /// There was one.
    Revoked,
    /// The key is good, but it may not act for that account.
    NotLinked,
    /// The store could not be asked.
    Failure(Failure),
}

impl From<Failure> for Closed {
    fn from(failure: Failure) -> Closed {
        Closed::Failure(failure)
    }
}

/// Why a question has no finding.
#[derive(Debug)]
pub enum NoFinding {
    /// The processor does not answer.
    Away,
    /// The store could not be asked.
    Failure(Failure),
}

/// What the program draws on beside its store.
pub struct Surroundings {
    /// The time.
    pub clock: Clock,
    /// Ids and random bytes.
    pub ids: Arc<Ids>,
    /// Who keeps count.
    pub meter: Arc<dyn Meter>,
    /// Who keeps numbers and speaks with their issuers.
    pub processor: Arc<dyn Processor>,
    /// What secrets of webhook endpoints are derived from, when the server has it.
    pub secrets_key: Option<SecretsKey>,
    /// Where webhooks may go.
    pub targets: Targets,
}

/// The running program as the dialects see it.
pub struct App {
    store: Arc<dyn Store>,
    clock: Clock,
    ids: Arc<Ids>,
    meter: Arc<dyn Meter>,
    processor: Arc<dyn Processor>,
    secrets_key: Option<SecretsKey>,
    targets: Targets,
    openness: Openness,
    api_version: &'static str,
    keys: RwLock<HashMap<KeyDigest, Believed>>,
    accounts: RwLock<HashMap<Space, Known>>,
    in_flight: Mutex<HashSet<(Space, String)>>,
    rates: Option<DefaultKeyedRateLimiter<Space>>,
    herald: Herald,
    mailbox: Arc<Mailbox>,
    feed: Arc<Feed>,
    asked_again: Arc<Listeners<EventId>>,
    /// Where requests go wrong on purpose; only a server for developers has any.
    failures: Option<Failures>,
}

/// An account that was looked up.
struct Known {
    account: Arc<Account>,
    since: Instant,
}

impl Known {
    fn now(account: Account) -> Known {
        Known { account: Arc::new(account), since: Instant::now() }
    }
}

struct Believed {
    /// With the space of its own account, which takes a digest to derive.
    key: Option<(Arc<ApiKey>, Space)>,
    since: Instant,
}

impl App {
    /// The program over a store. `api_version` is what new accounts speak when they are not told. Needs a runtime.
    pub fn new(
        store: Arc<dyn Store>,
        surroundings: Surroundings,
        openness: Openness,
        rate_limit: Option<NonZeroU32>,
        api_version: &'static str,
    ) -> App {
        let Surroundings { clock, ids, meter, processor, secrets_key, targets } = surroundings;
        let (herald, mut news) = mpsc::unbounded_channel::<Box<dyn FnOnce() + Send>>();
        // Ends when the program and its last transaction are gone. What waits in the channel is bounded by the requests
        // that are in flight.
        tokio::spawn(async move {
            while let Some(tell) = news.recv().await {
                tell();
            }
        });
        App {
            herald,
            mailbox: Arc::default(),
            store,
            clock,
            ids,
            meter,
            processor,
            secrets_key,
            targets,
            openness,
            api_version,
            keys: RwLock::default(),
            accounts: RwLock::default(),
            in_flight: Mutex::default(),
            rates: rate_limit.map(|per_second| RateLimiter::keyed(Quota::per_second(per_second))),
            feed: Arc::default(),
            asked_again: Arc::default(),
            failures: (openness == Openness::Dev).then(Failures::default),
        }
    }

    /// Where it is noted which accounts have something for their webhook endpoints.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The present moment, for what is decided outside a transaction.
    pub fn now(&self) -> crate::domain::time::Time {
        self.clock.now()
    }

    /// Where ids and random bytes come from, for what is made outside a transaction.
    pub fn ids(&self) -> &dyn IdSource {
        self.ids.as_ref()
    }

    /// The id of a request that comes with that key. Of a seed, each sandbox has an order of its own.
    pub fn request_id(&self, key: impl FnOnce() -> Option<String>) -> RequestId {
        let space = match self.ids.are_seeded() {
            false => None,
            true => key().and_then(|key| {
                let parts = identity::KeyParts::of(&key)?;
                Some(identity::space(None, &identity::sandbox(parts.rest), parts.mode))
            }),
        };
        RequestId::numbered(self.ids.of_request(space, self.clock.now().0))
    }

    /// How open the server is.
    pub fn openness(&self) -> Openness {
        self.openness
    }

    /// The rules by which requests go wrong; a server that keeps records has none.
    pub fn failures(&self) -> Option<&Failures> {
        self.failures.as_ref()
    }

    /// Who waits for news.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Who listens on this server for events that somebody wants to have told once more.
    pub fn asked_again(&self) -> &Arc<Listeners<EventId>> {
        &self.asked_again
    }

    /// Notes where time went.
    pub fn meter(&self) -> &dyn Meter {
        self.meter.as_ref()
    }

    /// Runs a verb in one transaction and waits until it is on disk. The verb may run more than once; only the last run
    /// counts. A caller that stops waiting does not stop the verb.
    pub async fn transact<T, V>(&self, account: Arc<Account>, cause: Cause, verb: V) -> Done<T>
    where
        T: Send + 'static,
        V: FnMut(&mut dyn Tx, &Ctx<'_>) -> Done<T> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let ids = Repeated::new(self.ids.of(account.space));
        self.store.write(Box::new(Work {
            verb,
            account,
            cause,
            clock: self.clock.clone(),
            ids,
            meter: self.meter.clone(),
            since: Instant::now(),
            result: None,
            wrote: false,
            tell,
            herald: self.herald.clone(),
            bell: Bell::default(),
            mailbox: self.mailbox.clone(),
            feed: self.feed.clone(),
        }));
        match told.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::broken("waiting for a transaction", "the store let go of it").into()),
        }
    }

    /// Looks at one or two rows by key. Each of them may be of a newer state than the one before it. The look may be taken
    /// more than once.
    pub async fn look<T, E>(&self, look: impl FnMut(&mut dyn Read) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        self.store.glance(Box::new(Glance { look, seen: None, tell }));
        told.await.unwrap_or_else(|_| Err(Failure::broken("looking", "the store let go of it").into()))
    }

    /// Looks at many records of one state, on a thread that may wait. The look may be taken more than once.
    pub async fn scan<T, E>(&self, mut look: impl FnMut(&mut dyn Read) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let store = self.store.clone();
        let scanned = tokio::task::spawn_blocking(move || {
            let mut seen = None;
            store.read(&mut |read| {
                seen = Some(look(read));
                Ok(())
            })?;
            seen.expect("a store that does not fail has looked")
        });
        match scanned.await {
            Ok(outcome) => outcome,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    /// What secrets of webhook endpoints are derived from; `None` when nobody gave the server such a key.
    pub fn secrets_key(&self) -> Option<&SecretsKey> {
        self.secrets_key.as_ref()
    }

    /// Where webhooks may go.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Asks the processor, outside of every transaction. The same attempt may ask again, and finds the same.
    pub async fn find_out(
        &self,
        account: &Account,
        attempt: &AttemptKey,
        question: &Question,
    ) -> Result<Finding, NoFinding> {
        let fingerprints = self.fingerprint_key(account).await.map_err(NoFinding::Failure)?;
        let ask = Ask { attempt, mode: account.mode, fingerprints: &fingerprints, now: self.clock.now() };
        processor::find_out(self.processor.as_ref(), ask, question).await.map_err(|seen| {
            tracing::error!("the payment processor does not answer: {seen}");
            NoFinding::Away
        })
    }

    /// The key by which the account tells numbers; made when it has none yet, and then the same on every server.
    async fn fingerprint_key(&self, account: &Account) -> Kept<FingerprintKey> {
        if let Some(key) = &account.fingerprint_key {
            return Ok(key.clone());
        }
        let space = account.space;
        let fresh = FingerprintKey::new(self.ids.fingerprint_key(space));
        let make = move |tx: &mut dyn Tx| accounts::with_fingerprint_key(tx, space, &fresh);
        let (account, key) = self.chore("making a fingerprint key", make).await?;
        self.accounts.write().insert(space, Known::now(account));
        Ok(key)
    }

    /// Who the key opens for, and the connected account that the caller acts for.
    pub async fn admit(&self, key: &str, connected: Option<&str>) -> Result<Caller, Closed> {
        // A sandbox is called what its keys call it.
        let name = identity::KeyParts::of(key).map(|parts| parts.rest).filter(|_| self.openness == Openness::Dev);
        let name = name.and_then(TenantId::parse);
        let (key, home) = self.key(key).await?;
        if key.revoked.is_some() {
            return Err(Closed::Revoked);
        }
        let account = match connected.filter(|id| *id != key.account.as_str()) {
            None => self.account(home, None, &key.account, key.mode, name).await?,
            Some(id) => {
                let (parent, id) = (&key.account, AccountId(id.to_owned()));
                let space = identity::space(Some(parent), &id, key.mode);
                self.account(space, Some(parent), &id, key.mode, None).await?
            }
        };
        match account {
            Some(account) => Ok(Caller { account, key }),
            None => Err(Closed::NotLinked),
        }
    }

    /// Whether the key opens something, or may: whoever cannot be looked up now is refused later, with the cause.
    pub async fn knows(&self, key: &str) -> bool {
        match self.key(key).await {
            Ok((key, _)) => key.revoked.is_none(),
            Err(Closed::Unknown | Closed::Revoked | Closed::NotLinked) => false,
            Err(Closed::Failure(_)) => true,
        }
    }

    /// Who a key opens for that was let in before: it may have been revoked or limited since then.
    pub async fn readmit(&self, pass: &Pass) -> Result<Caller, Closed> {
        let Pass { key, owner, account: id, mode } = pass.clone();
        let parent = (id != owner).then_some(&owner);
        let space = identity::space(parent, &id, mode);
        let key = Arc::new(self.unlimited(key, owner.clone(), mode, KeyKind::Secret));
        let key = self.is_open(&key).await?.ok_or(Closed::Revoked)?;
        match self.account(space, parent, &id, mode, None).await? {
            Some(account) => Ok(Caller { account, key }),
            None => Err(Closed::NotLinked),
        }
    }

    /// A key of which nothing is kept: in dev every well-formed one is good.
    fn unlimited(&self, digest: KeyDigest, account: AccountId, mode: Mode, kind: KeyKind) -> ApiKey {
        let (last4, created) = (String::new(), self.clock.now());
        ApiKey { digest, account, mode, kind, label: None, last4, created, revoked: None }
    }

    /// The key as it is now, if it still opens its account: for what goes on longer than a request.
    pub async fn is_open(&self, key: &Arc<ApiKey>) -> Kept<Option<Arc<ApiKey>>> {
        let home = identity::space(None, &key.account, key.mode);
        let digest = key.digest;
        let kept = self.look(move |read| keys::read(read, home, &digest)).await?;
        Ok(match (kept, self.openness) {
            (Some(kept), _) => Some(Arc::new(kept)).filter(|kept| kept.revoked.is_none()),
            (None, Openness::Serve) => None,
            (None, Openness::Dev) => Some(key.clone()),
        })
    }

    /// Whether the account may make one more request now; if not, how long until it may.
    pub fn rate(&self, space: Space) -> Result<(), Duration> {
        let Some(rates) = &self.rates else { return Ok(()) };
        rates.check_key(&space).map_err(|refused| {
            self.meter.rate_limited();
            refused.wait_time_from(DefaultClock::default().now())
        })
    }

    /// Marks an idempotency key as being worked on; `None` when it already is.
    pub fn begin(self: &Arc<App>, space: Space, idempotency_key: &str) -> Option<InFlight> {
        let name = (space, idempotency_key.to_owned());
        let first = self.in_flight.lock().insert(name.clone());
        first.then(|| InFlight { app: self.clone(), name })
    }

    /// Regular housekeeping: forgets replies and deliveries past their time and rates of callers that went away.
    pub async fn tidy(&self) -> Kept<()> {
        if let Some(rates) = &self.rates {
            rates.retain_recent();
            rates.shrink_to_fit();
        }
        let now = self.clock.now();
        loop {
            let past = self.scan(move |read| replies::past(read, now, PRUNE_AT_ONCE)).await?;
            let found: usize = past.values().map(Vec::len).sum();
            for (space, keys) in past {
                self.chore("tidying up", move |tx| replies::forget(tx, space, &keys, now)).await?;
            }
            if found < PRUNE_AT_ONCE {
                break;
            }
        }
        loop {
            let past = self.scan(move |read| deliveries::past(read, now, PRUNE_AT_ONCE)).await?;
            let found: usize = past.values().map(Vec::len).sum();
            for (space, ids) in past {
                self.chore("tidying up", move |tx| deliveries::forget(tx, space, &ids)).await?;
            }
            if found < PRUNE_AT_ONCE {
                return Ok(());
            }
        }
    }

    /// Keeps a key, for whoever sets up a server in a program. The text is not kept.
    pub async fn put_key(&self, key: ApiKey) -> Kept<()> {
        let space = identity::space(None, &key.account, key.mode);
        let kept = self.chore("keeping a key", move |tx| keys::create(tx, space, &key)).await;
        self.keys.write().clear();
        kept
    }

    /// The key of that text, and the space of its own account.
    async fn key(&self, text: &str) -> Result<(Arc<ApiKey>, Space), Closed> {
        let name = identity::key_digest(text);
        if let Some(believed) = self.keys.read().get(&name)
            && believed.since.elapsed() < KEY_BELIEVED_FOR
        {
            return believed.key.clone().ok_or(Closed::Unknown);
        }
        let key = self.look_up_key(text, name).await?.map(|key| {
            let home = identity::space(None, &key.account, key.mode);
            (Arc::new(key), home)
        });
        let mut keys = self.keys.write();
        if keys.len() >= MAX_REMEMBERED {
            keys.clear();
        }
        keys.insert(name, Believed { key: key.clone(), since: Instant::now() });
        key.ok_or(Closed::Unknown)
    }

    async fn look_up_key(&self, text: &str, name: KeyDigest) -> Result<Option<ApiKey>, Closed> {
        let Some(parts) = identity::KeyParts::of(text) else { return Ok(None) };
        let account = match self.openness {
            Openness::Serve => parts.account(),
            Openness::Dev if parts.mode == Mode::Test => Some(identity::sandbox(parts.rest)),
            Openness::Dev => None,
        };
        let Some(account) = account else { return Ok(None) };
        let space = identity::space(None, &account, parts.mode);
        let kept = self.look(move |read| keys::read(read, space, &name)).await?;
        Ok(match (kept, self.openness) {
            (Some(key), _) => Some(key),
            (None, Openness::Serve) => None,
            // A restricted key may do everything until it is told otherwise.
            (None, Openness::Dev) => Some(self.unlimited(name, account, parts.mode, parts.kind.unlimited())),
        })
    }

    async fn account(
        &self,
        space: Space,
        parent: Option<&AccountId>,
        id: &AccountId,
        mode: Mode,
        name: Option<TenantId>,
    ) -> Result<Option<Arc<Account>>, Closed> {
        if let Some(Known { account, since }) = self.accounts.read().get(&space)
            && since.elapsed() < ACCOUNT_BELIEVED_FOR
            && (name.is_none() || account.unit.tenant.is_some())
        {
            return Ok(Some(account.clone()));
        }
        let found = self.look(move |read| accounts::read(read, space)).await?;
        let account = match (found, self.openness) {
            (None, Openness::Serve) => return Ok(None),
            (None, Openness::Dev) => self.open_sandbox(parent, id, mode, name).await?,
            (Some(account), _) if account.unit.tenant.is_none() && name.is_some() => self.named(space, name).await?,
            (Some(account), _) => account,
        };
        let account = Arc::new(account);
        let mut accounts = self.accounts.write();
        if accounts.len() >= MAX_REMEMBERED {
            accounts.clear();
        }
        accounts.insert(space, Known { account: account.clone(), since: Instant::now() });
        Ok(Some(account))
    }

    async fn open_sandbox(
        &self,
        parent: Option<&AccountId>,
        id: &AccountId,
        mode: Mode,
        name: Option<TenantId>,
    ) -> Kept<Account> {
        let mut fresh = identity::fresh_account(id.clone(), parent.cloned(), mode, self.clock.now(), self.api_version);
        fresh.unit.tenant = name;
        self.chore("opening a sandbox", move |tx| accounts::find_or_create(tx, &fresh)).await
    }

    /// A sandbox from before sandboxes had tenant ids, or one that was opened through another account, gets its name.
    async fn named(&self, space: Space, name: Option<TenantId>) -> Kept<Account> {
        let change = UnitChange { tenant: name, ..UnitChange::default() };
        let changed = self.chore("naming a sandbox", move |tx| units::change(tx, space, change.clone(), None)).await?;
        match changed {
            Changed::To(account) => Ok(*account),
            Changed::CurrencyIsFixed(_) => Err(Failure::broken("naming a sandbox", "its currency was refused")),
        }
    }

    /// Runs a transaction of the program's own and waits until it is on disk.
    pub async fn chore<T: Send + 'static>(
        &self,
        doing: &'static str,
        chore: impl FnMut(&mut dyn Tx) -> Kept<T> + Send + 'static,
    ) -> Kept<T> {
        let (tell, told) = oneshot::channel();
        self.store.write(Box::new(Chore { chore, result: None, tell }));
        told.await.unwrap_or_else(|_| Err(Failure::broken(doing, "the store let go of it")))
    }
}

/// An idempotency key that is being worked on; dropping it ends that.
pub struct InFlight {
    app: Arc<App>,
    name: (Space, String),
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.app.in_flight.lock().remove(&self.name);
    }
}
