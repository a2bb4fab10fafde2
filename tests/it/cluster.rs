//! PostgreSQL servers of the test's own, for what cannot be done to the run's: ending one without warning, and having a
//! standby take over. They keep what they acknowledged, as real ones do, and are gone with the test.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::postgres::query;

/// How long a server may take to start, to stop, or to follow another.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server may take to end at once before it is killed.
const END_PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before a condition is looked at again.
const PAUSE: Duration = Duration::from_millis(5);
/// How many ports are tried for a server.
const PORT_TRIES: usize = 20;
/// The ports of our servers, below those that the kernel gives to whoever asks for any: a server that is down keeps its.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The settings of every server. It syncs, and it leaves nothing behind outside its folder when it is killed.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
shared_buffers = 32MB
max_connections = 100
wal_level = replica
max_wal_senders = 4
hot_standby = on
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
";

/// Waits until the test closes its end of the pipe, which it only does by being ended without a chance to clean up. Then
/// ends the server, if the process that its file names is one in this folder, takes away the server's lock in the
/// kernel's shared memory, and removes the folder, again while a program that is being ended still writes to it.
const GUARD: &str = r#"
read -r nothing
tries=0
next() { tries=$((tries + 1)); sleep 0.1; [ "$tries" -lt 100 ]; }
if read -r pid <data/postmaster.pid && [ "/proc/$pid/cwd" -ef data ]; then
    kill -s QUIT "$pid"
    while [ "/proc/$pid/cwd" -ef data ] && next; do :; done
fi
lock=$(sed -n '7s/.* //p' data/postmaster.pid) && [ -n "$lock" ] && ipcrm --shmem-id "$lock"
until rm -rf "$0" && [ ! -e "$0" ]; do next || break; done
"#;

/// A PostgreSQL server. It is ended at once and removed when this is dropped.
pub struct Cluster {
    programs: PathBuf,
    owner: Option<Owner>,
    folder: TempDir,
    port: u16,
    postmaster: Option<Child>,
    guard: Child,
}

/// The user that a server belongs to when the tests run as root, which PostgreSQL refuses to run as.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Cluster {
    /// Starts an empty server with `settings`, lines as in `postgresql.conf`, beyond the usual ones.
    pub fn start(settings: &[&str]) -> Cluster {
        let mut cluster = Cluster::not_made();
        let make = ["--username=cusp", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"];
        cluster.run("initdb", &make);
        let mut file =
            File::options().append(true).open(cluster.data().join("postgresql.conf")).expect("initdb made it");
        file.write_all(SETTINGS.as_bytes()).expect("settings can be written");
        settings.iter().for_each(|line| writeln!(file, "{line}").expect("settings can be written"));
        cluster.launch_anywhere();
        cluster
    }

    /// Starts a standby of `primary`. When this returns, the primary acknowledges nothing that the standby does not show.
    pub fn standby_of(primary: &Cluster) -> Cluster {
        let mut standby = Cluster::not_made();
        let port = format!("--port={}", primary.port);
        let copy =
            ["--host=127.0.0.1", &port, "--username=cusp", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
        standby.run("pg_basebackup", &copy);
        standby.launch_anywhere();
        primary.wait_for_standby("state = 'streaming'");
        // Only now: a primary that is told to wait for a standby that it does not have acknowledges nothing at all.
        primary.set("synchronous_standby_names", "*");
        primary.set("synchronous_commit", "remote_apply");
        primary.wait_for_standby("sync_state = 'sync'");
        standby
    }

    /// The port on 127.0.0.1 where it listens; the same for as long as it lives, restarts included.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases. `postgres` is always there.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://cusp@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends it without warning, as a power switch would: the postmaster and everything that it started, all of which is
    /// gone when this returns.
    pub fn kill(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        let pid = postmaster.id();
        // A stopped postmaster starts nobody, so that nobody is missed. They are ours: their parent is our child.
        signal("STOP", &[pid]);
        wait_for("the postmaster to stand still", || matches!(state(pid), Some('T' | 'Z') | None));
        let children = children_of(pid);
        signal("KILL", &[&[pid], children.as_slice()].concat());
        postmaster.wait().expect("it is our child");
        // They hold its memory; a server started while they do refuses to start.
        wait_for("the server's processes to end", || children.iter().all(|child| is_gone(*child)));
    }

    /// Stops it in good order: who is connected is disconnected, what is open is rolled back.
    pub fn stop(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        signal("INT", &[postmaster.id()]);
        wait_for("the server to stop", || has_ended(&mut postmaster));
    }

    /// Starts it again on what it has kept, where it was; stops it first when it runs.
    pub fn restart(&mut self) {
        self.stop();
        if let Err(trouble) = self.launch() {
            panic!("the server does not start again: {trouble}");
        }
    }

    /// Makes a standby a server of its own, which takes writes when this returns.
    pub fn promote(&self) {
        let promoted = self.ask("select pg_promote(true, 60)");
        assert_eq!(promoted, [[Some("t".to_owned())]], "the standby was promoted");
    }

    /// An empty folder and a port; nothing is in it yet.
    fn not_made() -> Cluster {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let owner = owner(folder.path());
        if let Some(owner) = owner {
            chown(folder.path(), Some(owner.user), Some(owner.group)).expect("root may give a folder away");
        }
        let guard = guard(folder.path());
        Cluster { programs: programs(), owner, folder, port: 0, postmaster: None, guard }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the server and the programs that made it have said.
    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A command of PostgreSQL's, as the right user, without what the person at the keyboard has set for theirs.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        let log = File::options().append(true).create(true).open(self.log()).expect("the log can be written");
        command.env("LC_ALL", "C").current_dir(self.folder.path()).args(["-D", "data"]);
        command.stdin(Stdio::null()).stderr(log.try_clone().expect("a file has two handles")).stdout(log);
        if let Some(owner) = self.owner {
            command.uid(owner.user).gid(owner.group);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program).args(arguments).status().expect("the program starts");
        assert!(status.success(), "{program}: {status}; it said:\n{}", self.said());
    }

    /// Starts it where nobody else is.
    fn launch_anywhere(&mut self) {
        for _ in 0..PORT_TRIES {
            let chance = getrandom::u32().expect("the system has entropy");
            self.port = PORTS.start + u16::try_from(chance % PORTS.len() as u32).expect("a port is small");
            // Somebody may still come first, but then the next try is as good.
            if TcpListener::bind(("127.0.0.1", self.port)).is_err() {
                continue;
            }
            match self.launch() {
                Ok(()) => return,
                Err(trouble) if trouble.contains("Address already in use") => continue,
                Err(trouble) => panic!("the server does not start: {trouble}"),
            }
        }
        panic!("no port was free in {PORT_TRIES} tries");
    }

    fn launch(&mut self) -> Result<(), String> {
        let _ = fs::remove_file(self.log());
        let mut command = self.command("postgres");
        // Not in the settings: a standby begins with a copy of those.
        command.arg(format!("--port={}", self.port));
        let mut postmaster = command.spawn().expect("the server's program starts");
        let pid = postmaster.id();
        let mut ended = false;
        wait_for("the server to be ready", || {
            ended = has_ended(&mut postmaster);
            ended || is_ready(&self.data(), pid)
        });
        if ended {
            return Err(self.said());
        }
        self.postmaster = Some(postmaster);
        Ok(())
    }

    fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn ask(&self, sql: &str) -> Vec<crate::postgres::Row> {
        query(&self.url("postgres"), sql).unwrap_or_else(|trouble| panic!("{trouble}\n{}", self.said()))
    }

    fn set(&self, setting: &str, value: &str) {
        // One call each: this statement refuses to be part of a longer text.
        self.ask(&format!("alter system set {setting} = '{value}'"));
        self.ask("select pg_reload_conf()");
    }

    fn wait_for_standby(&self, condition: &str) {
        let question = format!("select 1 from pg_stat_replication where {condition}");
        wait_for(&format!("a standby with {condition}"), || !self.ask(&question).is_empty());
    }

    /// The server's lock on its folder, in the kernel's shared memory, which only an orderly end takes away.
    fn forget_lock(&self) {
        let Some(line) = lock_file(&self.data()).and_then(|lines| lines.get(6).cloned()) else { return };
        if let Some(id) = line.split_whitespace().nth(1) {
            let _ = Command::new("ipcrm").args(["--shmem-id", id]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(postmaster) = &mut self.postmaster {
            signal("QUIT", &[postmaster.id()]);
            if holds_within(END_PATIENCE, || has_ended(postmaster)) {
                self.postmaster = None;
            } else {
                self.kill();
            }
        }
        self.forget_lock();
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

/// The folder with PostgreSQL's programs.
fn programs() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres");
    let output = Command::new(script).arg("programs").output().expect("scripts/postgres can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).expect("a folder of programs is text").trim_end())
}

/// Starts the guard of a server's folder.
fn guard(folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", GUARD]).arg(folder).current_dir(folder).stdin(Stdio::piped());
    // Outside the group that is ended together with the test.
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().expect("a shell starts")
}

/// Whom the server has to belong to; `None` for who runs the tests. A folder just made tells who that is.
fn owner(just_made: &Path) -> Option<Owner> {
    if fs::metadata(just_made).expect("it was just made").uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users can be read");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("there is a user postgres");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().expect("users and groups are numbers"));
    let mut next = || numbers.next().expect("a user has a number and a group");
    Some(Owner { user: next(), group: next() })
}

/// The lines of `postmaster.pid`: process id, folder, start, port, socket folder, address, shared memory, state.
fn lock_file(data: &Path) -> Option<Vec<String>> {
    match fs::read_to_string(data.join("postmaster.pid")) {
        Ok(text) => Some(text.lines().map(str::to_owned).collect()),
        Err(trouble) if trouble.kind() == ErrorKind::NotFound => None,
        Err(trouble) => panic!("postmaster.pid cannot be read: {trouble}"),
    }
}

/// Whether that process takes connections. The file of a server that was killed stays, so the process counts, too.
fn is_ready(data: &Path, pid: u32) -> bool {
    let Some(lines) = lock_file(data) else { return false };
    lines.first().is_some_and(|line| *line == pid.to_string())
        && lines.get(7).is_some_and(|state| ["ready", "standby"].contains(&state.trim()))
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("it is our child").is_some()
}

/// Sends a signal to processes that this test has started.
fn signal(name: &str, pids: &[u32]) {
    // The shell has the command built in; not every machine has a program for it.
    let mut command = Command::new("sh");
    command.args(["-c", r#"kill -s "$0" "$@""#, name]).args(pids.iter().map(u32::to_string));
    // One of them may have ended already, which is no failure.
    command.stderr(Stdio::null()).status().expect("a shell starts");
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc can be read");
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent.to_string())).collect()
}

/// The state of a process as `/proc` has it: `T` for stopped, `Z` for ended but not yet buried.
fn state(pid: u32) -> Option<char> {
    stat(pid)?[0].chars().next()
}

/// Whether a process has ended. Whoever inherits it may take a while to bury it.
fn is_gone(pid: u32) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}

/// What `/proc` says of a process behind its name, which may hold anything: state, parent, and so on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<String> = fields.split_whitespace().map(str::to_owned).collect();
    (fields.len() > 1).then_some(fields)
}

fn wait_for(what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(PATIENCE, condition), "waited {PATIENCE:?} for {what}");
}

fn holds_within(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rows the table `t` has on that server.
    fn rows(cluster: &Cluster) -> String {
        cluster.ask("select count(*) from t")[0][0].clone().expect("a count is a number")
    }

    #[test]
    fn a_standby_takes_over_with_all_that_was_acknowledged() {
        let mut primary = Cluster::start(&[]);
        let standby = Cluster::standby_of(&primary);
        primary.ask("create table t (a int); insert into t values (1)");
        assert_eq!(rows(&standby), "1", "what is acknowledged is to be seen on the standby at once");
        let refusal = query(&standby.url("postgres"), "insert into t values (2)").unwrap_err();
        assert!(refusal.starts_with("25006 "), "a standby takes no writes: {refusal}");

        primary.kill();
        assert!(query(&primary.url("postgres"), "select 1").is_err(), "the primary is gone");
        standby.promote();
        standby.ask("insert into t values (2)");
        assert_eq!(rows(&standby), "2", "the standby takes writes and waits for nobody");
    }

    #[test]
    fn a_killed_server_comes_back_with_all_that_was_acknowledged() {
        let mut cluster = Cluster::start(&[]);
        let port = cluster.port();
        cluster.ask("create table t (a int); insert into t values (1)");
        let children = children_of(cluster.postmaster.as_ref().expect("it runs").id());
        assert!(children.len() > 3, "a server is several processes");
        cluster.kill();
        assert!(children.into_iter().all(is_gone), "none of them is left");
        cluster.restart();
        assert_eq!((rows(&cluster).as_str(), cluster.port()), ("1", port));
        cluster.restart();
        assert_eq!(rows(&cluster), "1", "a running server is stopped first");
    }

    #[test]
    fn settings_are_taken() {
        let cluster = Cluster::start(&["max_connections = 17", "idle_session_timeout = 3s"]);
        let shown = cluster.ask("show max_connections; show idle_session_timeout; show fsync");
        assert_eq!(shown.concat(), ["17", "3s", "on"].map(|value| Some(value.to_owned())));
    }

    #[test]
    fn nothing_is_left_of_a_dropped_server() {
        for killed in [false, true] {
            let mut cluster = Cluster::start(&[]);
            let postmaster = cluster.postmaster.as_ref().expect("it runs").id();
            let folder = cluster.folder.path().to_owned();
            if killed {
                cluster.kill();
            }
            drop(cluster);
            assert!(is_gone(postmaster) && !folder.exists());
        }
    }

    #[test]
    fn nothing_is_left_of_a_server_whose_test_was_killed() {
        let mut cluster = Cluster::start(&[]);
        let postmaster = cluster.postmaster.as_ref().expect("it runs").id();
        // What the kernel does for a test that is killed.
        drop(cluster.guard.stdin.take());
        wait_for("the guard to do its work", || has_ended(&mut cluster.guard));
        assert!(is_gone(postmaster) && !cluster.folder.path().exists());
    }
}
