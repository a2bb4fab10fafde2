//! A server of one's own: fresh data, a clock that stands still, ids that repeat. Every test that needs a running
//! server takes it from here, in a folder, in a database or in memory.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use cusp::clock::Clock;
use cusp::domain::api_key::{Access, ApiKey, KeyKind, Resource};
use cusp::domain::time::Time;
use cusp::identity::{self, KeyParts};
use cusp::ids::Ids;
use cusp::processor::Processor;
use cusp::settings::{self, Language, Openness, Settings};
use cusp::start::WrapStore;
use cusp::store::memory::MemoryStore;
use cusp::store::postgres::PostgresStore;
use cusp::store::sqlite::SqliteStore;
use cusp::store::{Job, Kept, Store, Tx, Verdict};
use cusp::{Running, World};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::postgres::Database;
use crate::transcript::Grant;

/// When the clock of every server begins to stand still: 2026-03-01T12:00:00Z.
pub const NOON_MILLIS: i64 = 1_772_366_400_000;

/// What the ids and random bytes of every server follow from.
const SEED: u64 = 7;

/// Where a server keeps its records.
#[derive(Clone)]
pub enum Keeping {
    /// In a data folder of its own.
    Folder,
    /// In this database, which is emptied first.
    Database(Arc<Database>),
    /// In memory.
    Memory,
}

impl Keeping {
    /// In a database of its own.
    pub fn database() -> Keeping {
        Keeping::Database(Arc::new(Database::fresh()))
    }
}

/// Makes tests of functions that take a [`Keeping`]: each is run with a folder, with a database and in memory.
macro_rules! in_every_store {
    ($($name:ident,)*) => {
        crate::harness::in_both_stores! { $($name,)* }

        mod in_memory {
            $(#[test]
            fn $name() {
                super::$name(&crate::harness::Keeping::Memory);
            })*
        }
    };
}
pub(crate) use in_every_store;

/// The same for what outlives a process: each is run with a folder and with a database.
macro_rules! in_both_stores {
    ($($name:ident,)*) => {
        mod in_a_folder {
            $(#[test]
            fn $name() {
                super::$name(&crate::harness::Keeping::Folder);
            })*
        }

        mod in_a_database {
            $(#[test]
            fn $name() {
                super::$name(&crate::harness::Keeping::database());
            })*
        }
    };
}
pub(crate) use in_both_stores;

/// A running server and its data. It stops when it is dropped.
pub struct Server {
    runtime: Runtime,
    running: Option<Running>,
    settings: Settings,
    world: World,
    /// What a server in memory goes on with after a restart, so that whatever is said of one holds there too.
    memory: Option<Arc<MemoryStore>>,
    _data: TempDir,
}

impl Server {
    /// A server for developers that has nothing yet.
    pub fn start(keeping: &Keeping) -> Server {
        Server::start_as(keeping, Openness::Dev, None, |_| {})
    }

    /// A server that has nothing yet, with something around its store and other settings.
    pub fn start_as(
        keeping: &Keeping,
        openness: Openness,
        wrap_store: Option<WrapStore>,
        adjust: impl FnOnce(&mut Settings),
    ) -> Server {
        Server::start_in(keeping, openness, adjust, World { wrap_store, ..World::real() })
    }

    /// A server for developers that asks that processor.
    pub fn start_through(keeping: &Keeping, processor: Arc<dyn Processor>) -> Server {
        Server::start_in(keeping, Openness::Dev, |_| {}, World { processor, ..World::real() })
    }

    /// The same with something around its store.
    pub fn start_through_and_around(keeping: &Keeping, processor: Arc<dyn Processor>, wrap: WrapStore) -> Server {
        let world = World { processor, wrap_store: Some(wrap), ..World::real() };
        Server::start_in(keeping, Openness::Dev, |_| {}, world)
    }

    /// A server in a world that stands still.
    fn start_in(keeping: &Keeping, openness: Openness, adjust: impl FnOnce(&mut Settings), world: World) -> Server {
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let mut settings = Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: data.path().join("data"),
            ..Settings::new(openness)
        };
        if let Keeping::Database(database) = keeping {
            database.emptied();
            settings.database = Some(settings::Database::new(database.url()));
        }
        settings.admin_listen = settings.admin_listen.map(|_| settings.listen);
        settings.ephemeral = matches!(keeping, Keeping::Memory);
        adjust(&mut settings);
        let memory = settings.ephemeral.then(|| Arc::new(MemoryStore::new()));
        let wrap_store = match &memory {
            Some(memory) => Some(in_the_place_of_it(memory.clone(), world.wrap_store)),
            None => world.wrap_store,
        };
        let clock = Clock::stopped(Time(NOON_MILLIS));
        let world = World { clock, ids: Arc::new(Ids::seeded(SEED)), wrap_store, ..world };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
        let mut server = Server { runtime, running: None, settings, world, memory, _data: data };
        server.run();
        server
    }

    /// Where health and metrics are, of a server that has them apart.
    pub fn admin_address(&self) -> SocketAddr {
        self.running().admin_address().expect("it has an address for operators")
    }

    /// Writes into its store as an operator's command does: beside it.
    pub fn beside(&self, write: impl FnMut(&mut dyn Tx) -> Kept<()> + Send + 'static) {
        let store: Box<dyn Store> = match (&self.settings.database, &self.memory) {
            (_, Some(memory)) => Box::new(memory.again()),
            (Some(database), None) => {
                let opened = self.runtime.block_on(PostgresStore::open(database));
                Box::new(opened.expect("the store opens beside the server"))
            }
            (None, None) => {
                let opened = SqliteStore::open_beside(&self.settings.data);
                Box::new(opened.expect("the store opens beside the server"))
            }
        };
        let (tell, told) = mpsc::channel();
        store.write(Box::new(Chore { write, tell }));
        told.recv().expect("a store finishes every job").expect("the write succeeds");
        store.close();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running().address()
    }

    /// Where it speaks that API alone.
    pub fn own_address(&self, language: Language) -> SocketAddr {
        let own = self.running().own_addresses().iter().find(|(known, _)| *known == language);
        own.expect("the API has an address of its own").1
    }

    /// Stops it and starts it again on the same data; the clock stands where it stood.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    /// Stops it and starts it again on the same data, at the same address.
    pub fn restart_in_place(&mut self) {
        self.settings.listen = self.address();
        self.restart();
    }

    /// Moves its clock forward, and lets it do the housekeeping that time brings.
    pub fn advance(&self, millis: i64) {
        self.world.clock.advance(millis);
        self.runtime.block_on(self.running().tidy()).expect("housekeeping succeeds");
    }

    /// Says what a restricted key may do, or takes a key back.
    pub fn add_key(&self, text: &str, grant: &Grant) -> Result<(), String> {
        let parts = KeyParts::of(text).ok_or_else(|| format!("{text} is no key"))?;
        let now = self.world.clock.now();
        let (kind, revoked) = match grant {
            Grant::Revoked => (parts.kind.unlimited(), Some(now)),
            Grant::Restricted(permissions) => {
                let permissions = permissions.iter().map(|(resource, access)| permission(resource, access));
                (KeyKind::Restricted(permissions.collect::<Result<_, _>>()?), None)
            }
        };
        let key = ApiKey {
            digest: identity::key_digest(text),
            account: identity::sandbox(parts.rest),
            mode: parts.mode,
            kind,
            label: None,
            last4: text[text.len() - 4..].to_owned(),
            created: now,
            revoked,
        };
        self.runtime.block_on(self.running().put_key(key)).map_err(|failure| failure.to_string())
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs between start and stop")
    }

    fn run(&mut self) {
        let started = self.runtime.block_on(cusp::start(&self.settings, self.world.clone()));
        self.running = Some(started.unwrap_or_else(|trouble| panic!("the server does not start: {trouble}")));
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Puts records that are there already in the place of a server's own.
fn in_the_place_of_it(memory: Arc<MemoryStore>, wrap: Option<WrapStore>) -> WrapStore {
    Arc::new(move |_| {
        let store: Arc<dyn Store> = Arc::new(memory.again());
        match &wrap {
            Some(wrap) => wrap(store),
            None => store,
        }
    })
}

fn permission(resource: &str, access: &str) -> Result<(Resource, Access), String> {
    let resource = Resource::ALL
        .iter()
        .find(|known| known.as_str() == resource)
        .ok_or_else(|| format!("{resource} is no resource"))?;
    let access = [Access::None, Access::Read, Access::Write]
        .into_iter()
        .find(|known| known.as_str() == access)
        .ok_or_else(|| format!("{access} is no access"))?;
    Ok((*resource, access))
}

/// A write of an operator's.
struct Chore<W> {
    write: W,
    tell: mpsc::Sender<Kept<()>>,
}

impl<W: FnMut(&mut dyn Tx) -> Kept<()> + Send> Job for Chore<W> {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        (self.write)(tx)?;
        Ok(Verdict::Commit)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let _ = self.tell.send(outcome);
    }
}
