//! A server under measurement, as a process of its own: started, watched and ended by its id.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::{Trouble, metrics};

/// How long a server may take to start, and to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the kernel counts a process's time, in a second.
pub const TICKS: f64 = 100.0;

/// A running server. It ends when this is dropped.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the process and waits for the line that tells where it listens.
    pub fn start(mut command: Command) -> Result<Server, Trouble> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().ok_or("stdout was piped above")?;
        let mut server = Server { process, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|text| drop(line.send(text)));
        });
        loop {
            let text = lines.recv_timeout(PATIENCE).map_err(|_| "a server ended or hung before it was ready")?;
            if let Some(address) = text.trim().strip_prefix("listening on http://") {
                server.address = address.parse()?;
                return Ok(server);
            }
        }
    }

    /// Starts `cusp dev` with these arguments; gives also how long it took to be ready.
    pub fn cusp(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<(Server, Duration), Trouble> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cusp"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CUSP_")) {
            command.env_remove(name);
        }
        command.args(["dev", "--listen", "127.0.0.1:0", "--log-level", "warn"]).args(arguments);
        command.stdin(Stdio::null());
        let begun = Instant::now();
        let server = Server::start(command)?;
        while metrics::get(server.address, "/readyz").is_err() {
            if begun.elapsed() > PATIENCE {
                return Err("cusp did not get ready".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok((server, begun.elapsed()))
    }

    /// Tells it to stop and waits until it has.
    pub fn stop(mut self) -> Result<(), Trouble> {
        let id = self.process.id().to_string();
        Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &id]).status()?;
        let begun = Instant::now();
        while self.process.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                return Err("cusp did not stop when it was told to".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Ends it at once.
    pub fn kill(self) {
        drop(self);
    }

    /// Memory in use, in MB of a million bytes.
    pub fn resident_megabytes(&self) -> Result<f64, Trouble> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }

    /// Processor time used so far.
    pub fn processor_seconds(&self) -> Result<f64, Trouble> {
        processor_seconds(self.process.id())
    }
}

/// Processor time that a process has used so far.
pub fn processor_seconds(id: u32) -> Result<f64, Trouble> {
    let fields = stat(id)?;
    let ticks = |at: usize| Ok::<f64, Trouble>(fields.get(at).ok_or("a short stat")?.parse()?);
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// What `/proc` says of a process behind its name, which may have spaces: state, parent, and so on.
pub fn stat(id: u32) -> Result<Vec<String>, Trouble> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in stat")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
