//! Puts a server together and takes it apart: the only place that names a store and the dialects.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::admin;
use crate::app::{App, Surroundings};
use crate::clock::Clock;
use crate::dialects::cusp::{self, Cusp};
use crate::dialects::{flexportal, jani, stripe};
use crate::domain::api_key::ApiKey;
use crate::domain::ids::{IdSource, crockford};
use crate::feed::{RenderEvent, Tellers};
use crate::http::Stop;
use crate::http::auth::{Presented, presented};
use crate::http::content::Outgoing;
use crate::http::listen::{self, Bounds};
use crate::http::mounts::{Api, Hosts};
use crate::http::shell::{Pages, Shell};
use crate::http::traffic::Traffic;
use crate::ids::Ids;
use crate::processor::{Processor, Simulator};
use crate::secrets_file;
use crate::settings::{Language, Settings};
use crate::store::memory::MemoryStore;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::{Failure, Kept, Store};
use crate::telemetry::{Metrics, Watch};
use crate::webhooks::courier::Courier;
use crate::webhooks::send;

/// How often the server tidies up after itself.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How many connections the system holds until they are accepted. One more has to knock again, a second later: with the
/// usual 128, a fleet of clients that connects at once would feel it.
const MAX_UNACCEPTED: u32 = 4_096;

/// How many bodies that are larger than most are held at a time.
const LARGE_AT_ONCE: usize = 4;

/// Puts something around a store, for tests of what goes wrong.
pub type WrapStore = Arc<dyn Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync>;

/// What a server is given by its surroundings.
#[derive(Clone)]
pub struct World {
    /// The time.
    pub clock: Clock,
    /// Ids and random bytes.
    pub ids: Arc<Ids>,
    /// Something around the store.
    pub wrap_store: Option<WrapStore>,
    /// Who keeps numbers and speaks with their issuers.
    pub processor: Arc<dyn Processor>,
}

impl World {
    /// The machine's clock and unpredictable ids.
    pub fn real() -> World {
        World { clock: Clock::Real, ids: Arc::new(Ids::random()), wrap_store: None, processor: Arc::new(Simulator) }
    }
}

/// Why a server did not start.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for StartError {}

/// A running server. It runs until it is stopped.
pub struct Running {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    own_addresses: Vec<(Language, SocketAddr)>,
    app: Arc<App>,
    store: Arc<dyn Store>,
    stopping: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    courier: Option<JoinHandle<()>>,
    /// What goes on beside requests, until the server stops.
    chores: Vec<JoinHandle<()>>,
}

/// Starts a server: opens the store, binds the addresses, begins to answer.
pub async fn start(settings: &Settings, world: World) -> Result<Running, StartError> {
    let World { clock, ids, wrap_store, processor } = world;
    if settings.database.is_none() && !settings.ephemeral {
        SqliteStore::require_free(&settings.data).map_err(refused)?;
    }
    // Before anything is made or migrated: a server that cannot listen leaves the data as it is.
    let main = bind(settings.listen)?;
    let admin = settings.admin_listen.map(bind).transpose()?;
    let doors = settings.doors.listeners.iter().map(|(language, address)| Ok((*language, bind(*address)?)));
    let doors = doors.collect::<Result<Vec<_>, StartError>>()?;
    let given = secrets_file::given(settings).map_err(StartError)?;
    let store: Arc<dyn Store> = match &settings.database {
        Some(database) => Arc::new(PostgresStore::open(database).await.map_err(refused)?),
        None if settings.ephemeral => Arc::new(MemoryStore::new()),
        None => Arc::new(SqliteStore::open(&settings.data).map_err(refused)?),
    };
    let store = match wrap_store {
        Some(wrap) => wrap(store),
        None => store,
    };

    let secrets_key = match given {
        Some(key) => Some(key),
        None => secrets_file::own(settings, &settings.data, ids.as_ref()).map_err(StartError)?,
    };
    if secrets_key.is_none() {
        tracing::warn!(
            "no webhook endpoint can be made and no webhook can be signed: servers on a database need --secrets-key-file"
        );
    }

    let metrics = Arc::new(Metrics::new(clock.now()));
    let watching = Arc::new(Watch(metrics.clone()));
    let render: Arc<dyn RenderEvent> = Arc::new(Tellers(vec![
        Arc::new(stripe::events::Teller),
        Arc::new(flexportal::events::Teller),
        Arc::new(jani::events::Teller),
    ]));
    let app = Arc::new(App::new(
        store.clone(),
        Surroundings {
            clock: clock.clone(),
            ids: ids.clone(),
            meter: watching.clone(),
            processor,
            secrets_key,
            targets: settings.webhooks.targets.clone(),
        },
        settings.openness,
        settings.rate_limit,
        stripe::versions::NEWEST,
    ));
    let stopping = Arc::new(AtomicBool::new(false));
    let (stop, stopped) = watch::channel(false);
    let courier = app
        .secrets_key()
        .map(|_| {
            let name = match settings.database {
                Some(_) => fresh_name(ids.as_ref()),
                None => Courier::ALONE.to_owned(),
            };
            Courier::new(app.clone(), render.clone(), name, &settings.webhooks)
        })
        .transpose()
        .map_err(StartError)?;
    let pages = {
        let (store, stopping) = (store.clone(), stopping.clone());
        let page = move |path: &str| admin::page(path, store.as_ref(), &metrics, stopping.load(Ordering::Relaxed));
        Pages { paths: admin::PATHS.to_vec(), page: Arc::new(page) }
    };
    let bounds = Bounds {
        connections: settings.max_connections,
        head_timeout: settings.head_timeout,
        write_timeout: settings.request_timeout,
        drain_timeout: settings.drain_timeout,
    };
    let traffic = Arc::<Traffic>::default();
    let name_request = {
        let app = app.clone();
        let key = |headers: &HeaderMap| match presented(headers) {
            Presented::Key(key) => Some(key),
            Presented::Nothing | Presented::Unreadable => None,
        };
        Arc::new(move |headers: &HeaderMap| app.request_id(|| key(headers)))
    };
    let knows = {
        let app = app.clone();
        Arc::new(move |headers: &HeaderMap| -> Pin<Box<dyn Future<Output = bool> + Send>> {
            let (app, presented) = (app.clone(), presented(headers));
            Box::pin(async move {
                match presented {
                    Presented::Key(key) => app.knows(&key).await,
                    Presented::Nothing | Presented::Unreadable => false,
                }
            })
        })
    };
    // Cusp's own comes first: it refuses what is for an API that this server does not speak.
    let mut dialects = vec![cusp::dialect(Cusp {
        app: app.clone(),
        render,
        read_file: stripe::import::read,
        streams: Arc::default(),
        webhook_headers: &send::HEADERS,
    })];
    let others = [
        flexportal::dialect(app.clone()),
        jani::dialect(app.clone(), settings.jani_lenient),
        stripe::dialect(app.clone(), traffic.clone()),
    ];
    let off = |api: Api| settings.doors.without.iter().any(|language| api == Api::Of(*language));
    dialects.extend(others.into_iter().filter(|dialect| !off(dialect.api)));
    let shell = Arc::new(Shell {
        dialects,
        hosts: Hosts::of(settings.doors.hosts.iter().map(|(name, language)| (name.as_str(), *language))),
        pages: admin.is_none().then(|| pages.clone()),
        observer: watching.clone(),
        name_request,
        knows,
        large: Semaphore::new(LARGE_AT_ONCE),
        max_body_bytes: settings.max_body_bytes,
        request_timeout: settings.request_timeout,
        stop: Stop::new(stopped.clone()),
        traffic,
        clock,
    });
    let address = local(&main);
    let admin_address = admin.as_ref().map(local);
    let own_addresses = doors.iter().map(|(language, listener)| (*language, local(listener))).collect();
    let clients = [(None, main)].into_iter().chain(doors.into_iter().map(|(language, at)| (Some(language), at)));
    let mut listeners = Vec::new();
    for (door, listener) in clients {
        let shell = shell.clone();
        let answer = move |request| {
            let shell = shell.clone();
            async move { shell.serve(request, door).await }
        };
        listeners.push(tokio::spawn(listen::serve(listener, bounds, watching.clone(), answer, stopped.clone())));
    }
    if let Some(admin) = admin {
        let answer = move |request: hyper::Request<Incoming>| {
            let pages = pages.clone();
            async move {
                let page = pages.serve(request.method(), request.uri().path()).await;
                page.unwrap_or_else(nothing_here)
            }
        };
        listeners.push(tokio::spawn(listen::serve(admin, bounds, watching, answer, stopped.clone())));
    }
    let mut chores = vec![tokio::spawn(tidy(app.clone()))];
    if settings.database.is_some() {
        // Other servers may write to it too.
        chores.push(tokio::spawn(app.feed().clone().watch(store.clone())));
    }
    let courier = courier.map(|courier| {
        let patience = settings.drain_timeout;
        tokio::spawn(Arc::new(courier).run(stopped, patience))
    });
    Ok(Running { address, admin_address, own_addresses, app, store, stopping, stop, listeners, courier, chores })
}

impl Running {
    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where health and metrics are, when apart.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Where single APIs are, beside that.
    pub fn own_addresses(&self) -> &[(Language, SocketAddr)] {
        &self.own_addresses
    }

    /// Keeps an API key, for whoever runs a server inside a program.
    pub async fn put_key(&self, key: ApiKey) -> Kept<()> {
        self.app.put_key(key).await
    }

    /// Forgets what is past its time, as a running server does every minute.
    pub async fn tidy(&self) -> Kept<()> {
        self.app.tidy().await
    }

    /// Takes no more requests, lets those in flight finish, and closes the store.
    pub async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = self.stop.send(true);
        for listener in self.listeners {
            // A listener that panicked has nothing more to wait for.
            let _ = listener.await;
        }
        if let Some(courier) = self.courier {
            // As with a listener.
            let _ = courier.await;
        }
        self.chores.iter().for_each(JoinHandle::abort);
        let store = self.store;
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        if let Err(panic) = closed {
            tracing::error!("closing the store: {panic}");
        }
    }
}

/// A name that no other server has.
fn fresh_name(ids: &dyn IdSource) -> String {
    let mut bytes = [0; 16];
    ids.random(&mut bytes);
    crockford(u128::from_be_bytes(bytes))
}

fn refused(failure: Failure) -> StartError {
    StartError(failure.to_string())
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A port that was in use a moment ago is free: its last connections may take a minute to fade.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(MAX_UNACCEPTED)
    };
    bound().map_err(|cause: std::io::Error| StartError(format!("cannot listen on {address}: {cause}")))
}

fn local(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a bound listener has an address")
}

/// The answer to what no page is.
fn nothing_here() -> hyper::Response<Outgoing> {
    let mut response = hyper::Response::new(Outgoing::whole("There is no such page here.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

async fn tidy(app: Arc<App>) {
    let mut every = tokio::time::interval_at(Instant::now() + TIDY_EVERY, TIDY_EVERY);
    loop {
        every.tick().await;
        if let Err(failure) = app.tidy().await {
            tracing::warn!("tidying up: {failure}");
        }
    }
}
