//! SIGKILL under a load of cards that come and go. Whatever was acknowledged is held once, what was not is held or not as a
//! whole, and a token is used if and only if its card came to a customer. In both stores: on a database it is the server
//! that is killed, while the database goes on.
//!
//! The seed decides what is written and when the kill comes, not how the threads run; it is printed.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Barrier;
use std::time::Duration;

use tempfile::TempDir;

use crate::client::Client;
use crate::connection::{Connection, form, json};
use crate::dice::Dice;
use crate::fleet::{text, wait_until};
use crate::holdings::{CARD, Holder, Thing, all_held, held};
use crate::http::Reply;
use crate::postgres::Database;
use crate::program_server::{ProgramServer, cusp};

const SEED: &str = "CUSP_CRASH_SEED";
/// How many kills in each store.
const ROUNDS: usize = 15;
/// How many clients write at a time, each to a customer of its own.
const WRITERS: usize = 6;
/// How many things a customer holds before some go, so that lists stay short.
const MANY: usize = 30;
/// How long the load runs before the kill, in milliseconds: from, to.
const LOAD_MILLIS: (u64, u64) = (20, 200);

const KEY: &str = "sk_test_crash";

#[test]
fn what_was_attached_in_a_folder_survives_a_kill() {
    survive(&Place::folder());
}

#[test]
fn what_was_attached_in_a_database_survives_a_kill() {
    survive(&Place::Database(Database::fresh()));
}

fn survive(place: &Place) {
    let mut dice = Dice::of_the_run(SEED);
    let mut server = place.start();
    let client = Client::new(server.address(), KEY);
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| Writer::new(number, dice.for_number(number as u64), client.customer("name=Jenny")))
        .collect();
    let mut doubts = BTreeMap::new();
    for round in 1..=ROUNDS {
        let load = Duration::from_millis(dice.between(LOAD_MILLIS.0, LOAD_MILLIS.1));
        let in_doubt = load_until_killed(&mut writers, server, load, Writer::write_until_cut_off);
        place.wait_until_let_go();
        server = place.start();
        let client = Client::new(server.address(), KEY);
        for (writer, request) in writers.iter_mut().zip(in_doubt) {
            let happened = writer.settle(&client, &request);
            *doubts.entry((request.key.is_some(), happened)).or_insert(0) += 1;
        }
        for writer in &writers {
            writer.verify(&client);
        }
        let requests = writers.iter().map(|writer| writer.requests).sum::<u64>();
        println!("round {round}: killed after {load:?}, {requests} requests so far");
    }
    println!("in doubt, by whether with a key and whether it had happened: {doubts:?}");
    let all = all_held(&Client::new(server.address(), KEY));
    for writer in &writers {
        assert_eq!(all[&writer.customer], writer.holder.held());
    }
    assert_eq!(all.len(), WRITERS);
    server.kill();
    place.wait_until_let_go();
    place.check();
}

/// Where the servers keep their records, one after the other.
pub enum Place {
    /// In this folder.
    Folder(TempDir),
    /// In this database.
    Database(Database),
}

impl Place {
    /// In a folder of their own.
    pub fn folder() -> Place {
        Place::Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Starts one.
    pub fn start(&self) -> ProgramServer {
        match self {
            Place::Folder(folder) => ProgramServer::dev(folder.path(), &[]),
            Place::Database(database) => ProgramServer::dev_on(&database.url(), &[]),
        }
    }

    /// What a killed server has sent is still worked on by the database; then its sessions end.
    pub fn wait_until_let_go(&self) {
        let Place::Database(database) = self else { return };
        let others = "select count(*) from pg_stat_activity where datname = current_database() \
                      and pid <> pg_backend_pid()";
        wait_until("the killed server's sessions have ended", || database.query(others)[0][0].as_deref() == Some("0"));
    }

    /// Has `cusp check` look at all that is kept.
    pub fn check(&self) {
        let place: [PathBuf; 2] = match self {
            Place::Folder(folder) => ["--data".into(), folder.path().into()],
            Place::Database(database) => ["--database-url".into(), database.url().into()],
        };
        let check = cusp().arg("check").args(place).output().expect("cusp check runs");
        assert!(check.status.success(), "cusp check: {check:?}");
    }
}

/// Lets every writer write by a connection of its own until the server is killed; gives what each of them came to.
pub fn load_until_killed<W: Send, T: Send>(
    writers: &mut [W],
    server: ProgramServer,
    load: Duration,
    write_until_cut_off: impl Fn(&mut W, &mut Connection) -> T + Sync,
) -> Vec<T> {
    let ready = Barrier::new(writers.len() + 1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = writers
            .iter_mut()
            .map(|writer| {
                let mut connection = server.connection(KEY);
                let (ready, write_until_cut_off) = (&ready, &write_until_cut_off);
                scope.spawn(move || {
                    connection.stream().expect("the server accepts");
                    ready.wait();
                    write_until_cut_off(writer, &mut connection)
                })
            })
            .collect();
        ready.wait();
        std::thread::sleep(load);
        server.kill();
        threads.into_iter().map(|thread| thread.join().expect("a writer ends without panic")).collect()
    })
}

/// What a request asks for.
#[derive(Clone, Debug)]
enum Wish {
    /// A token of a card.
    Token,
    /// A payment method that nobody holds.
    Loose,
    /// A card in the place of the default one, by a token or by the name of one.
    Replace(Option<String>),
    /// One more card.
    Add(Option<String>),
    Attach(String),
    Detach(String),
    Remove(String),
}

#[derive(Clone, Debug)]
struct Request {
    wish: Wish,
    method: &'static str,
    path: String,
    form: String,
    key: Option<String>,
}

/// One client, and what its customer has to hold.
struct Writer {
    number: usize,
    dice: Dice,
    customer: String,
    holder: Holder,
    /// Tokens that were not used, with the ids of their cards.
    unused: BTreeMap<String, String>,
    used: Vec<String>,
    loose: Vec<String>,
    spent: Vec<String>,
    requests: u64,
}

impl Writer {
    fn new(number: usize, dice: Dice, customer: String) -> Writer {
        Writer {
            number,
            dice,
            customer,
            holder: Holder::default(),
            unused: BTreeMap::new(),
            used: Vec::new(),
            loose: Vec::new(),
            spent: Vec::new(),
            requests: 0,
        }
    }

    /// Writes until a request gets no reply; gives that request.
    fn write_until_cut_off(&mut self, connection: &mut Connection) -> Request {
        loop {
            let request = self.think_of_one();
            let headers: Vec<(&str, &str)> = request.key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
            let sent: io::Result<Reply> = connection.send(request.method, &request.path, &headers, &request.form);
            let Ok(reply) = sent else { return request };
            assert_eq!(reply.status, 200, "{request:?}: {}", reply.text());
            assert_eq!(reply.header("idempotent-replayed"), None, "{request:?} was never sent before");
            self.note(&request.wish, &reply);
        }
    }

    fn think_of_one(&mut self) -> Request {
        self.requests += 1;
        let own = format!("/v1/customers/{}", self.customer);
        let full = self.holder.things.len() >= MANY;
        let pick = |dice: &mut Dice, all: Vec<String>| {
            (!all.is_empty()).then(|| all[dice.below(all.len() as u64) as usize].clone())
        };
        let token = match self.dice.below(3) {
            0 => None,
            _ => self.unused.keys().next().cloned(),
        };
        let source = token.clone().unwrap_or_else(|| "tok_visa".to_owned());
        let wish = match self.dice.below(10) {
            0 | 1 => Wish::Token,
            2 => Wish::Loose,
            3 | 4 if !full => Wish::Add(token),
            5 | 6 if !full => match self.loose.first() {
                Some(method) => Wish::Attach(method.clone()),
                None => Wish::Loose,
            },
            7 => match pick(&mut self.dice, self.holder.ids(|thing| thing.method)) {
                Some(method) => Wish::Detach(method),
                None => Wish::Token,
            },
            8 => match pick(&mut self.dice, self.holder.ids(|thing| thing.source)) {
                Some(source) => Wish::Remove(source),
                None => Wish::Token,
            },
            _ => Wish::Replace(token),
        };
        let (method, path, form) = match &wish {
            Wish::Token => ("POST", "/v1/tokens".to_owned(), CARD.to_owned()),
            Wish::Loose => {
                let fields = [("type", "card"), ("card[token]", "tok_visa")];
                ("POST", "/v1/payment_methods".to_owned(), form(&fields))
            }
            Wish::Replace(_) => ("POST", own, form(&[("source", &source)])),
            Wish::Add(_) => ("POST", format!("{own}/sources"), form(&[("source", &source)])),
            Wish::Attach(id) => {
                ("POST", format!("/v1/payment_methods/{id}/attach"), form(&[("customer", &self.customer)]))
            }
            Wish::Detach(id) => ("POST", format!("/v1/payment_methods/{id}/detach"), String::new()),
            Wish::Remove(id) => ("DELETE", format!("{own}/sources/{id}"), String::new()),
        };
        let with_key = method == "POST" && self.dice.below(2) == 0;
        let key = with_key.then(|| format!("key-{}-{}", self.number, self.requests));
        Request { wish, method, path, form, key }
    }

    /// Takes note of what the server answered.
    fn note(&mut self, wish: &Wish, reply: &Reply) {
        let answer = json(reply);
        let id = match wish {
            Wish::Replace(_) => text(&answer, "default_source"),
            Wish::Token => {
                self.unused.insert(text(&answer, "id"), text(&answer["card"], "id"));
                return;
            }
            Wish::Loose => {
                self.loose.push(text(&answer, "id"));
                return;
            }
            Wish::Add(_) | Wish::Attach(_) | Wish::Detach(_) | Wish::Remove(_) => text(&answer, "id"),
        };
        self.move_along(wish, id);
    }

    /// Takes note of what happened to a thing of that id.
    fn move_along(&mut self, wish: &Wish, id: String) {
        if let Wish::Replace(Some(token)) | Wish::Add(Some(token)) = wish {
            assert_eq!(self.unused.remove(token).as_ref(), Some(&id), "the card of {token} comes under its id");
            self.used.push(token.clone());
        }
        match wish {
            Wish::Token | Wish::Loose => {}
            Wish::Replace(_) => self.holder.replace(Thing::card(id)),
            Wish::Add(_) => self.holder.hold(Thing::card(id)),
            Wish::Attach(_) => {
                self.loose.retain(|loose| *loose != id);
                self.holder.hold(Thing::method(id));
            }
            Wish::Detach(_) | Wish::Remove(_) => {
                if self.holder.has(&id).is_some_and(|thing| !thing.source) {
                    self.spent.push(id.clone());
                }
                self.holder.let_go(&id);
            }
        }
    }

    /// Finds out whether a request happened that no reply came to, and sends it again where that can be done. What
    /// happened is whole: the card, the token, the default and the kept reply are there together or not at all.
    fn settle(&mut self, client: &Client, request: &Request) -> bool {
        let now = held(client, &self.customer);
        let happened = now != self.holder.held();
        if let Some(key) = &request.key {
            let again = client.exchange(request.method, &request.path, &request.form, &[("Idempotency-Key", key)]);
            assert_eq!(again.status, 200, "{request:?}: {}", again.text());
            let replayed = again.header("idempotent-replayed") == Some("true");
            match request.wish {
                // What is made alone is on no list.
                Wish::Token | Wish::Loose => {}
                _ => assert_eq!(replayed, happened, "the reply is kept if and only if it is done: {request:?}"),
            }
            self.note(&request.wish, &again);
            return replayed;
        }
        if happened {
            let id = match &request.wish {
                Wish::Attach(id) | Wish::Detach(id) | Wish::Remove(id) => id.clone(),
                Wish::Token | Wish::Loose | Wish::Replace(_) | Wish::Add(_) => {
                    let new = now.sources.iter().find(|id| self.holder.has(id).is_none());
                    new.unwrap_or_else(|| panic!("half done or lost: {request:?}, {now:?}")).clone()
                }
            };
            self.move_along(&request.wish, id);
        }
        assert_eq!(held(client, &self.customer), self.holder.held(), "half done or lost: {request:?}");
        happened
    }

    /// Compares the server with what it acknowledged.
    fn verify(&self, client: &Client) {
        assert_eq!(held(client, &self.customer), self.holder.held(), "{}", self.customer);
        let shown = |path: String| json(&client.get(&path));
        let tokens = self.unused.keys().map(|token| (token, false)).chain(self.used.iter().map(|token| (token, true)));
        // Those of some rounds ago have been looked at.
        for (token, used) in tokens.rev().take(200) {
            assert_eq!(shown(format!("/v1/tokens/{token}"))["used"], used, "{token}");
        }
        for method in self.loose.iter().chain(self.spent.iter().rev().take(50)) {
            assert_eq!(shown(format!("/v1/payment_methods/{method}"))["customer"], serde_json::Value::Null);
        }
        for thing in &self.holder.things {
            let holder = &shown(format!("/v1/payment_methods/{}", thing.id))["customer"];
            assert_eq!(*holder, self.customer.as_str());
        }
    }
}
