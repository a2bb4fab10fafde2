//! The official SDKs, unmodified, against the real binary. What they check is in `tests/sdk/`; here the servers are
//! started that they talk to.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program_server::{ProgramServer, cusp};

#[test]
fn the_python_sdk_is_served() {
    let python = tool("python/bin/python");
    run(Command::new(python).arg(repository().join("tests/sdk/python/suite.py")));
}

#[test]
fn the_node_sdk_is_served() {
    let node = tool("node/bin/node");
    let modules = tool("node/node_modules");
    run(Command::new(node).arg(repository().join("tests/sdk/node/suite.js")).env("NODE_PATH", modules));
}

/// Runs a suite against servers of its own and shows what it said when a check of it does not hold.
fn run(suite: &mut Command) {
    let servers = Servers::start();
    for (name, value) in &servers.environment {
        suite.env(name, value);
    }
    // A proxy that is set for downloads has nothing to do with a server on this machine.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        suite.env_remove(name);
    }
    let outcome = suite.output().expect("the suite's interpreter starts");
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{}\n{said}\n{}", outcome.status, String::from_utf8_lossy(&outcome.stderr));
    println!("{said}");
}

/// The servers that a suite talks to, and what tells it of them.
struct Servers {
    environment: Vec<(&'static str, String)>,
    _running: [ProgramServer; 3],
    _folders: [TempDir; 3],
}

impl Servers {
    fn start() -> Servers {
        let folders = [(); 3].map(|()| tempfile::tempdir().expect("a temporary folder"));
        let [dev_data, limited_data, serve_data] = folders.each_ref().map(TempDir::path);
        let account = made_by(serve_data, &["accounts", "create"]);
        let linked = made_by(serve_data, &["accounts", "link", "--account", &account]);
        let key = |what: &[&str]| made_by(serve_data, &[&["keys", "create", "--account", &account], what].concat());
        let secret = key(&[]);
        let reading = key(&["--kind", "restricted", "--allow", "customer=read"]);
        let publishable = key(&["--kind", "publishable"]);
        let dev = ProgramServer::dev(dev_data, &[]);
        let limited = ProgramServer::dev(limited_data, &["--rate-limit", "1"]);
        let serve = ProgramServer::serve(serve_data, &[]);
        let url = |server: &ProgramServer| format!("http://{}", server.address());
        let environment = vec![
            ("CUSP_URL", url(&dev)),
            ("CUSP_LIMITED_URL", url(&limited)),
            ("CUSP_SERVE_URL", url(&serve)),
            ("CUSP_SECRET_KEY", secret),
            ("CUSP_READ_ONLY_KEY", reading),
            ("CUSP_PUBLISHABLE_KEY", publishable),
            ("CUSP_LINKED_ACCOUNT", linked),
        ];
        Servers { environment, _running: [dev, limited, serve], _folders: folders }
    }
}

/// Runs an operator's command on a data folder; gives what it made, which is the one thing it prints to stdout.
fn made_by(data: &Path, arguments: &[&str]) -> String {
    let outcome = cusp().args(arguments).arg("--data").arg(data).output().expect("the binary under test starts");
    assert!(outcome.status.success(), "{arguments:?}: {outcome:?}");
    String::from_utf8_lossy(&outcome.stdout).trim().to_owned()
}

/// A tool that the test script has put in place.
fn tool(path: &str) -> PathBuf {
    let tool = repository().join(".tools").join(path);
    assert!(
        tool.exists(),
        "{} is missing: run scripts/tools once, it installs what the SDK suites need",
        tool.display()
    );
    tool
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
