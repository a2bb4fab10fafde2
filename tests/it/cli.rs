//! The official CLI as a tool of tests: a home of its own, no network but this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::Server;

/// What the CLI goes through to anywhere but this machine: nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// The CLI of somebody with a key.
pub struct Cli {
    base: String,
    key: String,
    home: TempDir,
}

impl Cli {
    /// Somebody who talks to that server.
    pub fn of(server: &Server, key: &str) -> Cli {
        Cli::at(server.address(), key)
    }

    /// Somebody who talks to what listens there.
    pub fn at(address: SocketAddr, key: &str) -> Cli {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        Cli { base: format!("http://{address}"), key: key.to_owned(), home }
    }

    /// A command of it, ready to start. The CLI asks GitHub for newer versions of itself and tells its maker how it is used;
    /// neither leaves this machine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.env_clear();
        command.env("HOME", self.home.path()).env("XDG_CONFIG_HOME", self.home.path());
        command.env("STRIPE_CLI_TELEMETRY_OPTOUT", "1");
        for name in ["HTTP_PROXY", "HTTPS_PROXY"] {
            command.env(name, NOWHERE);
        }
        command.args(arguments).args(["--api-base", &self.base, "--api-key", &self.key, "--color", "off"]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the CLI starts")
    }

    /// What a command that ends well prints.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert!(outcome.status.success(), "{arguments:?}: {outcome:?}");
        String::from_utf8(outcome.stdout).expect("the CLI prints text")
    }

    /// The object that a command prints.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.done(arguments);
        // What it says before it deletes something.
        let object = printed.find('{').map_or("", |place| &printed[place..]);
        let value: Value = serde_json::from_str(object).unwrap_or_else(|error| panic!("{error}: {printed}"));
        assert!(value["error"].is_null(), "{arguments:?}: {printed}");
        value
    }
}

/// The CLI that `scripts/tools` has put in place. A test that needs it fails where it is not: one that is left out proves
/// nothing.
fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/node/bin/stripe");
    assert!(program.exists(), "{} is missing: run scripts/tools once, it installs the official CLI", program.display());
    program
}
