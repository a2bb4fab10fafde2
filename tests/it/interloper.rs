//! Somebody between a server and its PostgreSQL who breaks connections at chosen moments, around a commit above all, and
//! counts what passes. It understands just enough of the protocol for that and changes no byte of it.
//!
//! The source of what is known of the protocol: <https://www.postgresql.org/docs/current/protocol-message-formats.html>.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};

/// The longest message that is taken for one; past it, the messages were cut at the wrong places.
const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// The requests that may come before the startup message: for TLS, and for encryption by GSSAPI.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];
/// The server's answer to them when it does not encrypt: one byte that is no message.
const NOT_ENCRYPTED: u8 = b'N';

/// A way to a PostgreSQL server that can be cut. It takes connections until it is dropped, and then ends them all.
pub struct Interloper {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// When a connection is cut, as seen from a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The server never hears of the commit.
    Before,
    /// The server has committed; the client never hears of it.
    After,
}

struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    /// Something has changed that a stalled connection waits for.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ended: bool,
    refusing: bool,
    stalled: bool,
    /// What is to happen, and at which commit from now, the next being the first.
    plan: Option<(Moment, u64)>,
    round_trips: u64,
    commits: u64,
    links: Vec<Weak<Link>>,
}

impl Interloper {
    /// Opens a way to the server at that address.
    pub fn before(server: SocketAddr) -> Interloper {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::new(Shared { server, state: Mutex::default(), changed: Condvar::new() });
        let acceptor = Some(thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept_until_ended(&listener)
        }));
        Interloper { address, shared, acceptor }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections now. New ones are taken as before.
    pub fn cut_all(&self) {
        self.shared.cut_all(&mut self.shared.state.lock());
    }

    /// Closes every new connection as soon as it comes. Those that are open stay.
    pub fn refuse(&self) {
        self.shared.state.lock().refusing = true;
    }

    /// Takes new connections again.
    pub fn accept(&self) {
        self.shared.state.lock().refusing = false;
    }

    /// Passes nothing on from now on, either way, and closes nothing: a network that swallows what it is given.
    pub fn stall(&self) {
        self.shared.state.lock().stalled = true;
    }

    /// Passes on what was held back, and everything after it.
    pub fn resume(&self) {
        self.shared.state.lock().stalled = false;
        self.shared.changed.notify_all();
    }

    /// Does not pass on the `n`-th commit from now, of all connections together, but closes its connection on both sides.
    pub fn cut_before_commit(&self, n: u64) {
        self.plan(Moment::Before, n);
    }

    /// Passes on the `n`-th commit from now, of all connections together, waits until the server is through with it,
    /// throws its answer away and closes the connection on both sides.
    pub fn cut_after_commit(&self, n: u64) {
        self.plan(Moment::After, n);
    }

    /// Whether a cut is planned that has not come about yet.
    pub fn has_plan(&self) -> bool {
        self.shared.state.lock().plan.is_some()
    }

    /// How often somebody who had been answered asked again, of all connections together. One who asks on before the
    /// answer is there is counted once. Opening a connection counts as well.
    pub fn round_trips(&self) -> u64 {
        self.shared.state.lock().round_trips
    }

    /// How many commits have come, those that were not passed on included.
    pub fn commits(&self) -> u64 {
        self.shared.state.lock().commits
    }

    /// Counts from nought again. What is planned stays planned.
    pub fn reset_counters(&self) {
        let mut state = self.shared.state.lock();
        (state.round_trips, state.commits) = (0, 0);
    }

    fn plan(&self, moment: Moment, n: u64) {
        assert!(n > 0, "the next commit is the first");
        self.shared.state.lock().plan = Some((moment, n));
    }
}

impl Drop for Interloper {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state.lock();
            state.ended = true;
            self.shared.cut_all(&mut state);
        }
        // Wakes the acceptor, which then sees that this is the end.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn accept_until_ended(self: &Arc<Shared>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.state.lock().ended {
                return;
            }
            let Ok(client) = client else { continue };
            let shared = Arc::clone(self);
            thread::spawn(move || {
                if let Some(link) = shared.connect(client) {
                    link.run(&shared);
                }
            });
        }
    }

    /// A connection to the server for that client's, unless none is to be had; then the client's is closed.
    fn connect(&self, client: TcpStream) -> Option<Arc<Link>> {
        if self.state.lock().refusing {
            return None;
        }
        let server = TcpStream::connect(self.server).ok()?;
        client.set_nodelay(true).ok()?;
        server.set_nodelay(true).ok()?;
        let link = Arc::new(Link { client, server, talk: Mutex::default() });
        let mut state = self.state.lock();
        state.links.retain(|link| link.strong_count() > 0);
        state.links.push(Arc::downgrade(&link));
        (!state.ended).then_some(link)
    }

    fn cut_all(&self, state: &mut State) {
        state.links.drain(..).filter_map(|link| link.upgrade()).for_each(|link| link.cut());
        self.changed.notify_all();
    }

    /// Waits while nothing is to be passed on; fails when the link was cut in the meantime.
    fn pass(&self, link: &Link) -> io::Result<()> {
        let mut state = self.state.lock();
        while state.stalled && !link.talk.lock().cut {
            self.changed.wait(&mut state);
        }
        if link.talk.lock().cut { Err(ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    /// Counts a commit, and says what is to be done about it.
    fn note_commit(&self) -> Option<Moment> {
        let mut state = self.state.lock();
        state.commits += 1;
        let (moment, left) = state.plan?;
        state.plan = (left > 1).then_some((moment, left - 1));
        (left == 1).then_some(moment)
    }
}

/// One connection of a client's, led on to the server.
struct Link {
    client: TcpStream,
    server: TcpStream,
    talk: Mutex<Talk>,
}

/// How far the two have got.
#[derive(Default)]
struct Talk {
    cut: bool,
    client_spoke_last: bool,
    /// Which of the server's "ready for query" messages ends the answer that is thrown away, counted from one.
    withheld: Option<u64>,
}

impl Link {
    fn cut(&self) {
        self.talk.lock().cut = true;
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    /// Passes on what the two say to each other until one of them is gone; then both are.
    fn run(self: &Arc<Link>, shared: &Arc<Shared>) {
        let mut requests = BufReader::new(&self.client);
        if self.pass_startup(shared, &mut requests).is_ok() {
            let answers = thread::spawn({
                let (link, shared) = (Arc::clone(self), Arc::clone(shared));
                move || {
                    let _ = link.pass_answers(&shared);
                    link.cut();
                }
            });
            // It ends well only after a commit whose answer is withheld, and then it is the other way that cuts.
            if self.pass_requests(shared, &mut requests).is_err() {
                self.cut();
            }
            let _ = answers.join();
        }
        self.cut();
    }

    /// Passes on what comes before messages have a type: at most some requests for encryption, and the startup message.
    fn pass_startup(&self, shared: &Shared, requests: &mut impl Read) -> io::Result<()> {
        loop {
            let mut length = [0; 4];
            requests.read_exact(&mut length)?;
            let mut rest = vec![0; body_length(length)?];
            requests.read_exact(&mut rest)?;
            self.client_speaks(shared);
            shared.pass(self)?;
            (&self.server).write_all(&[&length, rest.as_slice()].concat())?;
            let code = rest.first_chunk().map(|code| u32::from_be_bytes(*code));
            if !code.is_some_and(|code| ENCRYPTION_REQUESTS.contains(&code)) {
                return Ok(());
            }
            let mut answer = [0];
            (&self.server).read_exact(&mut answer)?;
            self.server_speaks();
            shared.pass(self)?;
            (&self.client).write_all(&answer)?;
            if answer[0] != NOT_ENCRYPTED {
                return Err(not_understood("the connection is encrypted"));
            }
        }
    }

    fn pass_requests(&self, shared: &Shared, requests: &mut impl BufReadMore) -> io::Result<()> {
        let mut server = BufWriter::new(&self.server);
        let mut statements = Statements::default();
        // The server says that it is ready once after the startup, and once for each of the messages that ask for it.
        let mut readies_asked = 1;
        let mut last = None;
        loop {
            let message = Message::read(requests)?;
            self.client_speaks(shared);
            shared.pass(self)?;
            let asks_for_ready = matches!(message.kind, b'Q' | b'S' | b'F');
            readies_asked += u64::from(asks_for_ready);
            if statements.commits(&message) {
                match shared.note_commit() {
                    None => {}
                    Some(Moment::Before) => {
                        server.flush()?;
                        return Err(ErrorKind::ConnectionAborted.into());
                    }
                    Some(Moment::After) => last = Some(readies_asked + u64::from(!asks_for_ready)),
                }
                // Before the server can have heard of it.
                self.talk.lock().withheld = last;
            }
            message.write(&mut server)?;
            let is_last = last == Some(readies_asked);
            if is_last || requests.has_no_more() {
                server.flush()?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn pass_answers(&self, shared: &Shared) -> io::Result<()> {
        let mut answers = BufReader::new(&self.server);
        let mut client = BufWriter::new(&self.client);
        let mut readies = 0;
        loop {
            let message = Message::read(&mut answers)?;
            let withheld = self.talk.lock().withheld;
            let is_withheld = withheld.is_some_and(|last| readies + 1 >= last);
            readies += u64::from(message.kind == b'Z');
            if is_withheld {
                if withheld == Some(readies) {
                    return Ok(());
                }
                continue;
            }
            shared.pass(self)?;
            self.server_speaks();
            message.write(&mut client)?;
            if answers.has_no_more() {
                client.flush()?;
            }
        }
    }

    fn client_speaks(&self, shared: &Shared) {
        let spoke_last = std::mem::replace(&mut self.talk.lock().client_spoke_last, true);
        if !spoke_last {
            shared.state.lock().round_trips += 1;
        }
    }

    fn server_speaks(&self) {
        self.talk.lock().client_spoke_last = false;
    }
}

/// A reader that knows whether the next message would have to be waited for.
trait BufReadMore: BufRead {
    fn has_no_more(&self) -> bool;
}

impl<R: Read> BufReadMore for BufReader<R> {
    fn has_no_more(&self) -> bool {
        // The beginning of a message counts as more: nobody waits for an answer in the middle of a message.
        self.buffer().is_empty()
    }
}

/// A message behind the startup: one byte for its type, four for the length of what follows, themselves included.
struct Message {
    kind: u8,
    body: Vec<u8>,
}

impl Message {
    fn read(from: &mut impl Read) -> io::Result<Message> {
        let mut head = [0; 5];
        from.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let mut body = vec![0; body_length(length)?];
        from.read_exact(&mut body)?;
        Ok(Message { kind, body })
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let length = u32::try_from(self.body.len() + 4).expect("it was read with such a length");
        to.write_all(&[self.kind])?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&self.body)
    }

    /// The texts that the body begins with, each of which ends with a zero byte.
    fn texts(&self) -> impl Iterator<Item = String> {
        self.body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
    }
}

fn body_length(length: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(length) as usize;
    if !(4..=MAX_MESSAGE_BYTES).contains(&length) {
        return Err(not_understood(&format!("a message of {length} bytes")));
    }
    Ok(length - 4)
}

/// What nobody waits for is at least to be seen in the output of the test, which fails for want of a connection.
fn not_understood(trouble: &str) -> io::Error {
    eprintln!("the interloper gives up on a connection: {trouble}");
    io::Error::new(ErrorKind::InvalidData, trouble)
}

/// Which of a connection's prepared statements, and of the portals made from them, are commits.
#[derive(Default)]
struct Statements {
    prepared: HashMap<String, bool>,
    portals: HashMap<String, bool>,
}

impl Statements {
    /// Takes note of a message; says whether the server commits when it comes to it.
    fn commits(&mut self, message: &Message) -> bool {
        let mut texts = message.texts();
        let mut next = || texts.next().unwrap_or_default();
        match message.kind {
            b'Q' => return ends_with_commit(&next()),
            b'E' => return self.portals.get(&next()).copied().unwrap_or(false),
            // Parse: the statement's name, its text.
            b'P' => {
                let (name, text) = (next(), next());
                self.prepared.insert(name, ends_with_commit(&text));
            }
            // Bind: the portal's name, the statement's.
            b'B' => {
                let (portal, statement) = (next(), next());
                self.portals.insert(portal, self.prepared.get(&statement).copied().unwrap_or(false));
            }
            // Close needs no note: a name is not used again before something else was given it.
            _ => {}
        }
        false
    }
}

/// Whether the last of the statements in a text is a commit.
fn ends_with_commit(text: &str) -> bool {
    let text = text.trim_end_matches(|letter: char| letter == ';' || letter.is_whitespace());
    text.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("commit"))
}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs;
    use std::time::Duration;

    use futures_util::future::join3;
    use tokio::runtime::{Builder, Runtime};
    use tokio::time::timeout;
    use tokio_postgres::{Client, Config, NoTls};

    use super::*;
    use crate::postgres::{self, Database};

    /// How long an answer may take that is to come.
    const PATIENCE: Duration = Duration::from_secs(30);
    /// How long an answer is waited for that is not to come.
    const IMPATIENCE: Duration = Duration::from_millis(200);

    /// A database with an empty table `t`, and somebody before it.
    struct Bench {
        runtime: Runtime,
        interloper: Interloper,
        database: Database,
    }

    impl Bench {
        fn new() -> Bench {
            let database = Database::fresh();
            database.execute("create table t (a int)");
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
            Bench { runtime, interloper: Interloper::before(server()), database }
        }

        fn connect(&self) -> Result<Client, tokio_postgres::Error> {
            let url = postgres::by_way_of(&self.database.url(), self.interloper.address());
            let config: Config = url.parse().expect("it is a URL");
            self.runtime.block_on(async {
                let (client, connection) = timeout(PATIENCE, config.connect(NoTls)).await.expect("an answer comes")?;
                tokio::spawn(connection);
                Ok(client)
            })
        }

        /// Runs SQL as a simple query.
        fn run(&self, client: &Client, sql: &str) -> Result<(), tokio_postgres::Error> {
            let answer = self.runtime.block_on(async { timeout(PATIENCE, client.batch_execute(sql)).await });
            answer.expect("an answer comes, or the end of the connection")
        }

        /// The same through a prepared statement.
        fn run_prepared(&self, client: &Client, sql: &str) -> Result<(), tokio_postgres::Error> {
            let asked = async {
                let statement = client.prepare(sql).await?;
                let done = client.execute(&statement, &[]).await;
                // One that is dropped is closed by a message of its own, whenever the driver comes to it.
                std::mem::forget(statement);
                done
            };
            let answer = self.runtime.block_on(async { timeout(PATIENCE, asked).await });
            answer.expect("an answer comes, or the end of the connection").map(drop)
        }

        /// How many rows there really are.
        fn rows(&self) -> String {
            self.database.query("select count(*) from t")[0][0].clone().expect("a count is a number")
        }
    }

    /// Where the run's server is.
    fn server() -> SocketAddr {
        let config: Config = postgres::shared_url().parse().expect("it is a URL");
        let host = match config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            other => panic!("the run's server is to be reached by TCP: {other:?}"),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        (host, port).to_socket_addrs().expect("it has an address").next().expect("it has an address")
    }

    type Run = fn(&Bench, &Client, &str) -> Result<(), tokio_postgres::Error>;

    /// The ways in which a client may commit.
    const COMMITS: [(&str, Run); 4] = [
        ("COMMIT", Bench::run),
        ("insert into t values (2); Commit ;", Bench::run),
        ("commit", Bench::run_prepared),
        ("COMMIT;", Bench::run_prepared),
    ];

    fn check(plan: fn(&Interloper, u64), is_kept: bool) {
        for (commit, run) in COMMITS {
            let bench = Bench::new();
            let client = bench.connect().unwrap();
            plan(&bench.interloper, 2);
            bench.run(&client, "begin; insert into t values (0)").unwrap();
            run(&bench, &client, commit).unwrap();
            let before: u32 = bench.rows().parse().unwrap();
            bench.interloper.reset_counters();

            bench.run(&client, "begin; insert into t values (1)").unwrap();
            assert!(bench.interloper.has_plan());
            run(&bench, &client, commit).expect_err("the client is not told of the second commit");
            assert!(!bench.interloper.has_plan());
            assert_eq!(bench.interloper.commits(), 1, "{commit}");
            let after = if is_kept { before * 2 } else { before };
            assert_eq!(bench.rows(), after.to_string(), "{commit}");

            let another = bench.connect().unwrap();
            bench.run(&another, "begin; commit").unwrap();
        }
    }

    #[test]
    fn a_commit_that_is_cut_before_has_not_happened() {
        check(Interloper::cut_before_commit, false);
    }

    #[test]
    fn a_commit_that_is_cut_after_has_happened() {
        check(Interloper::cut_after_commit, true);
    }

    #[test]
    fn what_is_asked_before_a_commit_in_the_same_packet_is_answered() {
        let bench = Bench::new();
        let client = bench.connect().unwrap();
        bench.interloper.cut_after_commit(1);
        let (begun, inserted, committed) = bench.runtime.block_on(join3(
            client.batch_execute("begin"),
            client.batch_execute("insert into t values (1)"),
            client.batch_execute("commit"),
        ));
        assert!(begun.is_ok() && inserted.is_ok(), "{begun:?} {inserted:?}");
        assert!(committed.is_err());
        assert_eq!(bench.rows(), "1");
    }

    #[test]
    fn round_trips_and_commits_are_counted() {
        let bench = Bench::new();
        let client = bench.connect().unwrap();
        for (sql, run, round_trips, commits) in [
            ("select 1", Bench::run as Run, 1, 0),
            ("begin", Bench::run, 1, 0),
            ("insert into t select generate_series(1, 10000) returning a", Bench::run, 1, 0),
            ("commit", Bench::run, 1, 1),
            ("select 'commit'", Bench::run, 1, 0),
            // One to prepare it, one to run it.
            ("insert into t values (1)", Bench::run_prepared, 2, 0),
        ] {
            bench.interloper.reset_counters();
            run(&bench, &client, sql).unwrap();
            let counted = (bench.interloper.round_trips(), bench.interloper.commits());
            assert_eq!(counted, (round_trips, commits), "{sql}");
        }
    }

    #[test]
    fn all_connections_are_cut_and_new_ones_are_taken() {
        let bench = Bench::new();
        let clients = [bench.connect().unwrap(), bench.connect().unwrap()];
        bench.run(&clients[0], "begin; insert into t values (1)").unwrap();
        bench.interloper.cut_all();
        clients.iter().for_each(|client| assert!(bench.run(client, "select 1").is_err()));
        bench.run(&bench.connect().unwrap(), "select 1").unwrap();
        assert_eq!(bench.rows(), "0");
    }

    #[test]
    fn new_connections_are_refused_and_taken_again() {
        let bench = Bench::new();
        let client = bench.connect().unwrap();
        bench.interloper.refuse();
        assert!(bench.connect().is_err());
        bench.run(&client, "select 1").unwrap();
        bench.interloper.accept();
        bench.run(&bench.connect().unwrap(), "select 1").unwrap();
    }

    #[test]
    fn a_stalled_connection_says_nothing_and_then_goes_on() {
        let bench = Bench::new();
        let client = bench.connect().unwrap();
        bench.interloper.stall();
        bench.runtime.block_on(async {
            let mut answer = std::pin::pin!(client.batch_execute("insert into t values (1)"));
            assert!(timeout(IMPATIENCE, &mut answer).await.is_err(), "nothing passes");
            assert_eq!(bench.rows(), "0");
            bench.interloper.resume();
            timeout(PATIENCE, answer).await.expect("what was held back passes").unwrap();
        });
        assert_eq!(bench.rows(), "1");

        bench.interloper.stall();
        bench.interloper.cut_all();
        assert!(bench.run(&client, "select 1").is_err(), "a stalled connection can be cut");
    }

    #[test]
    fn a_request_for_encryption_is_answered_by_the_server() {
        let bench = Bench::new();
        let mut stream = TcpStream::connect(bench.interloper.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0];
        // For TLS, which the run's server does not have. Whether it has the other kind is up to how it was built.
        stream.write_all(&[8_u32.to_be_bytes(), ENCRYPTION_REQUESTS[0].to_be_bytes()].concat()).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [NOT_ENCRYPTED]);
        let startup = b"\0\x03\0\0user\0cusp\0database\0postgres\0\0";
        let length = u32::try_from(startup.len() + 4).unwrap();
        stream.write_all(&[length.to_be_bytes().as_slice(), startup].concat()).unwrap();
        while Message::read(&mut stream).unwrap().kind != b'Z' {}
        bench.interloper.cut_all();
        assert_eq!(stream.read(&mut answer).unwrap(), 0, "the connection is at its end");
    }

    #[test]
    fn a_commit_is_known_by_the_end_of_its_text() {
        for commit in ["COMMIT", " commit ; ", "select 1; Commit", "commit;;\n"] {
            assert!(ends_with_commit(commit), "{commit}");
        }
        for other in ["", "select 'commit'", "rollback", "commit; begin", "commit prepared 'x'"] {
            assert!(!ends_with_commit(other), "{other}");
        }
    }
}
