//! The real binary, running: started on a free port, waited for, and ended with the test, by its process id.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::connection::Connection;

/// How long the program may take to be ready.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A running `cusp`. It ends when this is dropped.
pub struct ProgramServer {
    child: Child,
    address: SocketAddr,
}

/// A command of the binary under test, without input.
pub fn cusp() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cusp"));
    // What the person who runs the tests has set for a server of their own must not reach this one.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CUSP_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

impl ProgramServer {
    /// Starts `cusp dev` on `data` and waits until it is ready.
    pub fn dev(data: &Path, more: &[&str]) -> ProgramServer {
        ProgramServer::start("dev", &["--data", path(data)], more)
    }

    /// Starts `cusp dev` on a database and waits until it is ready.
    pub fn dev_on(database_url: &str, more: &[&str]) -> ProgramServer {
        ProgramServer::start("dev", &["--database-url", database_url], more)
    }

    /// Starts `cusp dev` or `cusp serve` where the options in `place` say that records are, and waits until it is ready.
    pub fn start(mode: &str, place: &[&str], more: &[&str]) -> ProgramServer {
        let mut command = cusp();
        command.args([mode, "--listen", "127.0.0.1:0", "--log-level", "warn"]).args(place).args(more);
        command.stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary under test starts");
        let stdout = child.stdout.take().expect("it was piped above");

        // The lines are read on a thread of their own, for two reasons: a program that hangs must fail the test rather
        // than hang it, and a full pipe must not stop the program later.
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|text| drop(line.send(text)));
        });
        let mut said = Vec::new();
        loop {
            match lines.recv_timeout(START_PATIENCE) {
                Ok(text) => match text.trim().strip_prefix("listening on http://") {
                    Some(address) => {
                        let address = address.parse().expect("the announced address is one");
                        return ProgramServer { child, address };
                    }
                    None => said.push(text),
                },
                Err(trouble) => {
                    let _ = child.kill();
                    let outcome = child.wait();
                    panic!("cusp {mode} did not get ready ({trouble}, {outcome:?}); it said {said:?}");
                }
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection of its own for that key.
    pub fn connection(&self, key: &str) -> Connection {
        Connection::new(self.address, key)
    }

    /// Ends the process at once, as a power switch would, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// How much memory it has in use, in MB of a million bytes.
    pub fn resident_megabytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a live process has VmRSS");
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("VmRSS is a number of kB");
        kilobytes * 1024.0 / 1e6
    }

    /// How many files and sockets it has open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the process lives").count()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn path(folder: &Path) -> &str {
    folder.to_str().expect("temporary folders have plain names")
}

impl Drop for ProgramServer {
    fn drop(&mut self) {
        self.end();
    }
}
