//! A PostgreSQL server of the run's own, which keeps what it acknowledges. It ends, and its folder goes, when this is
//! dropped or the process ends, however that happens.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::Trouble;
use crate::child::{TICKS, stat};
use crate::folder::Folder;

/// The server's settings. It syncs every commit, and it makes checkpoints when it is told: one in the middle of a
/// measurement would be counted against whoever happened to be measured.
const SETTINGS: [&str; 5] =
    ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "checkpoint_timeout=1h", "max_wal_size=8GB"];

/// A running server.
pub struct Cluster {
    /// Ends the server when its input ends.
    keeper: Child,
    folder: Folder,
    pub port: u16,
    pub programs: PathBuf,
}

impl Cluster {
    /// Starts a server that keeps everything in `folder`.
    pub fn start(folder: Folder) -> Result<Cluster, Trouble> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres");
        // Out of the terminal's reach: it has to outlive an interrupted run.
        let mut keeper = Command::new("sh");
        keeper.args(["-c", r#"cat; exec "$0" stop "$1""#]).arg(&script).arg(&folder.0).process_group(0);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let mut cluster = Cluster { keeper, folder, port: 0, programs: PathBuf::new() };
        cluster.programs = said(Command::new(&script).arg("programs"))?.into();
        let url = said(Command::new(&script).arg("start").arg(&cluster.folder.0).args(SETTINGS))?;
        cluster.port = url.rsplit_once(':').ok_or("a URL has a port")?.1.parse()?;
        Ok(cluster)
    }

    /// Where one of its databases is.
    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// Where those who use it may put their files.
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Runs statements and gives the rows of all of them.
    pub async fn run(&self, database: &str, sql: &str) -> Result<Vec<Vec<String>>, Trouble> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        drop(client);
        // It ends once it has said goodbye; what went wrong on it, the query has been told.
        let _ = connection.await;
        let cells = |row: &tokio_postgres::SimpleQueryRow| {
            (0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect()
        };
        let rows = messages?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(cells(&row)),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Processor time that all of its processes have used so far, those that have ended included.
    pub fn processor_seconds(&self) -> Result<f64, Trouble> {
        let file = fs::read_to_string(self.folder.0.join("data/postmaster.pid"))?;
        let postmaster = file.lines().next().ok_or("an empty postmaster.pid")?.to_owned();
        let mut ticks = 0.0;
        for entry in fs::read_dir("/proc")? {
            let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // Who has ended by now has left its time to its parent.
            let Ok(fields) = stat(id) else { continue };
            // User and system time, and the same of the children that have ended.
            let counted = match (id.to_string() == postmaster, fields[1] == postmaster) {
                (true, _) => 11..15,
                (false, true) => 11..13,
                (false, false) => continue,
            };
            ticks += fields[counted].iter().filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
        }
        Ok(ticks / TICKS)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A database's URL, of a server on this machine.
pub fn url(port: u16, database: &str) -> String {
    format!("postgres://cusp@127.0.0.1:{port}/{database}?sslmode=disable")
}

fn said(command: &mut Command) -> Result<String, Trouble> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("there is no PostgreSQL server to measure against".into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
