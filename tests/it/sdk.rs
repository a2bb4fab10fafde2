//! The official SDKs, unmodified, against the real binary. What they check is in `tests/sdk/`; here the servers are
//! started that they talk to.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Keeping, in_both_stores};
use crate::postgres::Database;
use crate::program_server::{ProgramServer, cusp};

in_both_stores! {
    the_python_sdk_is_served,
    the_node_sdk_is_served,
}

fn the_python_sdk_is_served(keeping: &Keeping) {
    let python = tool("python/bin/python");
    run(Command::new(python).arg(repository().join("tests/sdk/python/suite.py")), keeping);
}

fn the_node_sdk_is_served(keeping: &Keeping) {
    let node = tool("node/bin/node");
    let modules = tool("node/node_modules");
    run(Command::new(node).arg(repository().join("tests/sdk/node/suite.js")).env("NODE_PATH", modules), keeping);
}

/// Runs a suite against servers of its own and shows what it said when a check of it does not hold.
fn run(suite: &mut Command, keeping: &Keeping) {
    let servers = Servers::start(keeping);
    for (name, value) in &servers.environment {
        suite.env(name, value);
    }
    println!("{}", run_tool(suite));
}

/// Runs a program to its end, which has to be a good one, against servers on this machine; gives what it said.
pub fn run_tool(program: &mut Command) -> String {
    // A proxy that is set for downloads has nothing to do with them.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        program.env_remove(name);
    }
    let outcome = program.output().expect("the program starts");
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(outcome.status.success(), "{}\n{said}\n{}", outcome.status, String::from_utf8_lossy(&outcome.stderr));
    said
}

/// The servers that a suite talks to, and what tells it of them.
struct Servers {
    environment: Vec<(&'static str, String)>,
    _running: [ProgramServer; 3],
    _places: [Place; 3],
}

impl Servers {
    fn start(keeping: &Keeping) -> Servers {
        let places = [(); 3].map(|()| Place::like(keeping));
        let [dev_place, limited_place, serve_place] = &places;
        let account = made_at(&serve_place.options(), &["accounts", "create"]);
        let linked = made_at(&serve_place.options(), &["accounts", "link", "--account", &account]);
        let key = |what: &[&str]| {
            made_at(&serve_place.options(), &[&["keys", "create", "--account", &account], what].concat())
        };
        let secret = key(&[]);
        let reading = key(&["--kind", "restricted", "--allow", "customer=read"]);
        let publishable = key(&["--kind", "publishable"]);
        let dev = ProgramServer::start("dev", &dev_place.options(), &[]);
        let limited = ProgramServer::start("dev", &limited_place.options(), &["--rate-limit", "1"]);
        let serve = ProgramServer::start("serve", &serve_place.options(), &["--admin-listen", "127.0.0.1:0"]);
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
        Servers { environment, _running: [dev, limited, serve], _places: places }
    }
}

/// Where a server of a suite keeps its records.
struct Place {
    option: [String; 2],
    _folder: TempDir,
    _database: Option<Database>,
}

impl Place {
    /// A place of its own, in a store of the kind that is asked for.
    fn like(keeping: &Keeping) -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = matches!(keeping, Keeping::Database(_)).then(Database::fresh);
        let option = match &database {
            Some(database) => ["--database-url".to_owned(), database.url()],
            None => ["--data".to_owned(), folder.path().to_string_lossy().into_owned()],
        };
        Place { option, _folder: folder, _database: database }
    }

    fn options(&self) -> [&str; 2] {
        self.option.each_ref().map(String::as_str)
    }
}

/// Runs an operator's command; gives what it made, which is the one thing it prints to stdout.
pub fn made_at(place: &[&str], arguments: &[&str]) -> String {
    let outcome = cusp().args(arguments).args(place).output().expect("the binary under test starts");
    assert!(outcome.status.success(), "{arguments:?}: {outcome:?}");
    String::from_utf8_lossy(&outcome.stdout).trim().to_owned()
}

/// A tool that the test script has put in place.
/// A program that `scripts/tools` puts in place.
pub fn tool(path: &str) -> PathBuf {
    let tool = repository().join(".tools").join(path);
    assert!(
        tool.exists(),
        "{} is missing: run scripts/tools once, it installs what the SDK suites need",
        tool.display()
    );
    tool
}

/// The top of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
