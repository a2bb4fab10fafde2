//! Every call that the courier makes of its store goes wrong once, in every way, and commits and the answers to them get
//! lost: while it takes a queue, looks what is due, records what came of it and gives the queue back. The delivery comes all
//! the same and is recorded in the end, and the queue is nobody's.

use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;

use cusp::domain::account::{Mode, Space};
use cusp::domain::delivery::{AT_ONCE, Delivery, DeliveryState, Queue};
use cusp::domain::ids::{DeliveryId, WebhookEndpointId};
use cusp::identity;
use cusp::settings::Openness;
use cusp::start::WrapStore;
use cusp::store::faults::{Calls, Fault, FaultyStore, Loss};
use cusp::store::{Job, Kept, Store, Tx, Verdict};

use crate::client::Client;
use crate::fleet::{text, wait_until};
use crate::harness::{Keeping, Server, in_every_store};
use crate::hook::{Act, Hook};
use crate::webhooks::{deliveries, endpoint};

in_every_store! {
    whatever_goes_wrong_once_a_delivery_comes_and_is_recorded,
}

/// The calls that the courier makes at least in its transactions about one delivery: taking, recording and giving back.
const LEAST_IN_TRANSACTIONS: usize = 10;
/// More calls than that, but for a courier that is so slow that it renews its lease, or takes it twice.
const MOST_IN_TRANSACTIONS: usize = 16;
/// The calls that it makes at least to look what is due: once with something, and once more when there is nothing.
const LOOKS: usize = 7;
/// How many servers are tried at a time: most of the time a courier waits whether more comes.
const AT_A_TIME: usize = 10;

const KEY: &str = "sk_test_luckless";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    /// The nth call of that sort from the start.
    Call(Calls, usize, Fault),
    /// What is written first: the lease.
    Taking(Loss),
    /// What is written when the webhook has come.
    Recording(Loss),
    /// What is written when it was recorded.
    GivingBack(Loss),
}

fn space() -> Space {
    identity::space(None, &identity::sandbox("luckless"), Mode::Test)
}

/// A store as it is, and what is around it that breaks on command.
type Both = (Arc<dyn Store>, Arc<FaultyStore>);

/// A server whose store breaks on command, with one delivery that succeeded.
struct Rig {
    /// The store as it is without mishaps.
    sound: Arc<dyn Store>,
    faulty: Arc<FaultyStore>,
    hook: Hook,
    /// What gets lost when the next webhook has come.
    at_arrival: Arc<Mutex<Option<Loss>>>,
    delivery: DeliveryId,
    endpoint: WebhookEndpointId,
    _server: Server,
}

impl Rig {
    fn start(keeping: &Keeping) -> Rig {
        let slot: Arc<OnceLock<Both>> = Arc::default();
        let filled = slot.clone();
        let wrap: WrapStore = Arc::new(move |store: Arc<dyn Store>| {
            filled.get_or_init(|| (store.clone(), Arc::new(FaultyStore::new(store)))).1.clone()
        });
        let server = Server::start_as(keeping, Openness::Dev, Some(wrap), |_| {});
        let (sound, faulty) = slot.get().expect("the store was wrapped").clone();
        let at_arrival: Arc<Mutex<Option<Loss>>> = Arc::default();
        let hook = {
            let (at_arrival, faulty) = (at_arrival.clone(), faulty.clone());
            Hook::deciding(move |_, _| {
                if let Some(loss) = at_arrival.lock().expect("nobody panics with it").take() {
                    faulty.lose(loss);
                }
                Act::Answer(200)
            })
        };
        let client = Client::new(server.address(), KEY);
        let (id, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=customer.created");
        client.customer("name=Jenny");
        wait_until("it is taken", || deliveries(&client, &id)[0]["state"] == "succeeded");
        let delivery = DeliveryId(text(&deliveries(&client, &id)[0], "id"));
        let rig = Rig { sound, faulty, hook, at_arrival, delivery, endpoint: WebhookEndpointId(id), _server: server };
        rig.wait_until_given_back();
        rig
    }

    fn seen(&self) -> (Delivery, Queue) {
        let mut seen = None;
        let looked = self.sound.read(&mut |read| {
            let delivery = read.delivery(space(), &self.delivery)?.expect("it is kept");
            seen = Some((delivery, read.queue(space(), &self.endpoint)?.expect("an endpoint has a queue")));
            Ok(())
        });
        looked.expect("the store is sound");
        seen.expect("it was looked")
    }

    fn wait_until_given_back(&self) {
        wait_until("the queue is given back", || self.seen().1.lease.is_none());
    }

    /// Has the delivery sent once more, as another server would.
    fn send_again(&self) {
        let (tell, told) = mpsc::channel();
        self.sound.write(Box::new(Again { delivery: self.seen().0, tell }));
        told.recv().expect("a store finishes every job").expect("the store is sound");
    }

    /// Has the delivery sent while that goes wrong; `false` when there was nothing to go wrong.
    fn survives(&self, mishap: Mishap) -> bool {
        let (before, attempts) = (self.hook.hits().len(), self.seen().0.attempts);
        match mishap {
            Mishap::Call(calls, nth, fault) => self.faulty.arm_calls(calls, nth, fault),
            Mishap::Taking(loss) => self.faulty.lose(loss),
            Mishap::Recording(loss) => *self.at_arrival.lock().expect("nobody panics with it") = Some(loss),
            Mishap::GivingBack(_) => {}
        }
        self.send_again();
        wait_until(&format!("it has come ({mishap:?})"), || self.hook.hits().len() > before);
        wait_until(&format!("it is recorded ({mishap:?})"), || self.seen().0.state == DeliveryState::Succeeded);
        if let Mishap::GivingBack(loss) = mishap {
            self.faulty.lose(loss);
        }
        self.wait_until_given_back();
        let (delivery, queue) = self.seen();
        let (came, tried) = (self.hook.hits().len() - before, delivery.attempts - attempts);
        assert!(delivery.due.is_none() && queue.failing_since.is_none(), "{mishap:?}: {delivery:?} {queue:?}");
        assert!((1..=2).contains(&came) && (1..=2).contains(&tried), "{mishap:?}: {came} webhooks, {tried} attempts");
        !self.faulty.disarm()
    }
}

/// A write that makes the delivery due.
struct Again {
    delivery: Delivery,
    tell: mpsc::Sender<Kept<()>>,
}

impl Job for Again {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        let again = Delivery { state: DeliveryState::Pending, due: Some(AT_ONCE), ..self.delivery.clone() };
        tx.put_delivery(space(), &again)?;
        Ok(Verdict::Commit)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let _ = self.tell.send(outcome);
    }
}

fn whatever_goes_wrong_once_a_delivery_comes_and_is_recorded(keeping: &Keeping) {
    let mut mishaps = Vec::new();
    for fault in [Fault::Passing, Fault::Broken, Fault::Panic] {
        mishaps.extend((1..=MOST_IN_TRANSACTIONS).map(|nth| Mishap::Call(Calls::OfTransactions, nth, fault)));
        mishaps.extend((1..=LOOKS).map(|nth| Mishap::Call(Calls::OfLooks, nth, fault)));
    }
    for loss in [Loss::Commit, Loss::Answer] {
        mishaps.extend([Mishap::Taking(loss), Mishap::Recording(loss), Mishap::GivingBack(loss)]);
    }
    let (left, survived) = (Mutex::new(mishaps), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                let own = match keeping {
                    Keeping::Database(_) => Keeping::database(),
                    Keeping::Folder | Keeping::Memory => keeping.clone(),
                };
                let rig = Rig::start(&own);
                loop {
                    let Some(mishap) = left.lock().expect("nobody panics with it").pop() else { return };
                    let happened = rig.survives(mishap);
                    survived.lock().expect("nobody panics with it").push((mishap, happened));
                }
            });
        }
    });
    let survived = survived.into_inner().expect("nobody panicked with it");
    for (mishap, happened) in survived {
        let may_not_happen =
            matches!(mishap, Mishap::Call(Calls::OfTransactions, nth, _) if nth > LEAST_IN_TRANSACTIONS);
        assert!(happened || may_not_happen, "{mishap:?}");
    }
}
