//! A commit whose answer is lost, of a transaction that asks about one account and writes to another.

use std::net::{SocketAddr, ToSocketAddrs};

use crossbeam_channel::{Sender, bounded};
use cusp::domain::account::Space;
use cusp::domain::customer::Customer;
use cusp::domain::event::{Cause, Happening};
use cusp::domain::ids::{CustomerId, EventId};
use cusp::domain::time::Time;
use cusp::settings;
use cusp::store::postgres::PostgresStore;
use cusp::store::{Job, Kept, NewEvent, Store, Tx, Verdict};
use tokio::runtime::Builder;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::interloper::Interloper;
use crate::postgres::{self, Database};

const HOME: Space = Space(1);
const ABROAD: Space = Space(2);

/// Notes an event in another account than the one that it asks about, under a new name each time that it runs.
struct Abroad {
    runs: u32,
    told: Sender<Kept<()>>,
}

impl Job for Abroad {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        tx.account(HOME)?;
        self.runs += 1;
        let customer = Customer::blank(CustomerId("cus_1".into()), "ABC".into(), Time(1));
        let cause = Cause { request: None, idempotency_key: None };
        let what = Happening::CustomerCreated { after: Box::new(customer), beside: Vec::new() };
        let id = EventId(format!("evt_{}", self.runs));
        tx.append(ABROAD, NewEvent { id, created: Time(1), cause: &cause, what })?;
        Ok(Verdict::Commit)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        self.told.send(outcome).expect("the test waits");
    }
}

fn server() -> SocketAddr {
    let config: Config = postgres::shared_url().parse().expect("it is a URL");
    let [Host::Tcp(host)] = config.get_hosts() else { panic!("the run's server is to be reached by TCP") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    (host.as_str(), port).to_socket_addrs().expect("it has an address").next().expect("it has an address")
}

#[test]
fn a_commit_in_doubt_is_found_where_its_transaction_was_at_home_in_postgres() {
    let database = Database::fresh();
    let interloper = Interloper::before(server());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    let url = postgres::by_way_of(&database.url(), interloper.address());
    let store = runtime.block_on(PostgresStore::open(&settings::Database::new(url))).expect("the store opens");
    interloper.cut_after_commit(1);
    let (told, tells) = bounded(1);
    store.write(Box::new(Abroad { runs: 0, told }));
    tells.recv().expect("every job is told").expect("it was committed");
    assert!(!interloper.has_plan());
    assert_eq!(database.query("SELECT count(*) FROM cusp.events"), [[Some("1".into())]]);
    store.close();
}
