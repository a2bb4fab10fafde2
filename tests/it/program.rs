//! The program itself: what it prints, what it refuses, how it starts and ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::{Keeping, in_both_stores};
use crate::postgres::Database;

in_both_stores! {
    a_key_is_made_listed_and_revoked,
    accounts_are_made_and_linked,
    two_steps_lead_to_a_served_request,
    a_server_has_a_key_for_secrets_or_says_that_it_has_none,
}

fn cusp() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cusp"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CUSP_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    cusp().args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program prints text")
}

/// What a command that ends well prints.
fn done(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command that ends with `code` says about it.
fn refused(code: i32, arguments: &[&str]) -> String {
    let output = output(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stderr)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system has room for a folder")
}

fn path(folder: &Path) -> &str {
    folder.to_str().expect("temporary folders have plain names")
}

/// The options that say where the records of a test are kept, and the folder if they are kept in one.
fn records(keeping: &Keeping) -> (Option<TempDir>, [String; 2]) {
    match keeping {
        Keeping::Memory => panic!("nothing in memory outlives a program"),
        Keeping::Database(database) => (None, ["--database-url".into(), database.url()]),
        Keeping::Folder => {
            let folder = folder();
            let data = ["--data".into(), path(folder.path()).into()];
            (Some(folder), data)
        }
    }
}

/// How long a server may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; killed when a test ends before it.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut child = cusp()
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("stdout can be read");
        let address = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        match address {
            Some(address) => Server { child, address },
            None => {
                let output = child.wait_with_output().expect("it ends");
                panic!("it said `{line}` and {}", text(&output.stderr));
            }
        }
    }

    /// Status code and body of one request.
    fn get(&self, path: &str, key: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: cusp\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n")
            .expect("the server reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("the server answers");
        let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it is HTTP");
        let body = reply.split_once("\r\n\r\n").map(|(_, body)| body.to_string()).unwrap_or_default();
        (status, body)
    }

    /// Sends SIGTERM; gives the exit code and what was logged.
    fn terminate(mut self) -> (Option<i32>, String) {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status().expect("there is a kill");
        assert!(sent.success());
        let status = self.child.wait().expect("it ends");
        let mut logged = String::new();
        self.child.stderr.take().expect("stderr is a pipe").read_to_string(&mut logged).expect("it is text");
        (status.code(), logged)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already in every test that ends well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const COMMANDS: [&str; 11] =
    ["dev", "serve", "keys", "accounts", "fixtures", "backup", "restore", "check", "copy", "migrate", "completions"];

#[test]
fn the_help_tells_of_every_command_and_how_to_begin() {
    let help = done(&["--help"]);
    for command in COMMANDS {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}\n{help}");
        assert!(done(&[command, "--help"]).contains("Usage: cusp"));
    }
    for step in ["cusp dev", "cusp keys create", "cusp serve", "curl http://127.0.0.1:12111/v1/customers"] {
        assert!(help.contains(step), "{step}\n{help}");
    }
}

#[test]
fn no_arguments_at_all_show_the_help() {
    assert!(refused(2, &[]).contains("To try it:"));
}

#[test]
fn completions_come_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = done(&["completions", shell]);
        assert!(script.contains("cusp") && script.contains("rate-limit"), "{shell}");
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_trouble() {
    let mut child = cusp()
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn an_unknown_option_is_refused_with_a_hint() {
    let refusal = refused(2, &["serve", "--lisen", "127.0.0.1:1"]);
    assert!(refusal.contains("'--lisen'") && refusal.contains("'--listen'"), "{refusal}");
}

#[test]
fn an_unknown_key_in_the_file_is_refused_by_name() {
    let folder = folder();
    let file = folder.path().join("cusp.toml");
    fs::write(&file, "rate-limit = 5\nlisen = \"127.0.0.1:1\"\n").expect("the folder takes a file");
    for command in ["dev", "serve", "check"] {
        let refusal = refused(2, &[command, "--config", path(&file)]);
        assert!(refusal.contains("unknown field `lisen`") && refusal.contains("line 2"), "{refusal}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    assert!(refused(2, &["serve", "--config", "/no/such/file.toml"]).contains("/no/such/file.toml"));
}

#[test]
fn the_environment_says_what_flags_say() {
    let output = cusp().arg("dev").env("CUSP_LISTEN", "0.0.0.0:0").output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--listen 0.0.0.0:0"));
}

/// What a command says that is refused, or fails, with a database in its environment.
fn beside_a_database(code: i32, arguments: &[&str]) -> String {
    let mut command = cusp();
    command.args(arguments).env("CUSP_DATABASE_URL", "postgres://ada:sesame@db.invalid:port/x");
    let output = command.env("CUSP_DATABASE_POOL_SIZE", "4").output().expect("the program runs");
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    assert!(!told.contains("sesame"), "{arguments:?}: {told}");
    told
}

#[test]
fn a_data_folder_by_flag_goes_before_a_database_of_the_environment() {
    let folder = folder();
    let none = folder.path().join("none");
    for command in [&["keys", "list"][..], &["accounts", "list"], &["check"], &["backup", "to"]] {
        let refusal = beside_a_database(1, &[command, &["--data", path(&none)]].concat());
        assert!(refusal.contains("there is no data folder"), "{refusal}");
        assert!(!beside_a_database(2, command).contains("no data folder"));
    }
}

#[test]
fn commands_for_a_folder_say_what_is_for_a_database() {
    for (command, instead) in [(&["backup", "to"][..], "pg_dump"), (&["restore", "from"], "pg_restore")] {
        assert!(beside_a_database(2, command).contains(instead));
        let by_flag = refused(2, &[command, &["--database-url=postgres://ada:sesame@db/x"]].concat());
        assert!(by_flag.contains(instead) && !by_flag.contains("sesame"), "{by_flag}");
    }
}

#[test]
fn a_password_in_the_environment_is_not_shown_by_the_help() {
    for command in [&["serve"][..], &["dev"], &["keys", "list"], &["check"]] {
        beside_a_database(0, &[command, &["--help"]].concat());
    }
    assert!(beside_a_database(2, &["serve"]).contains("--database-url: "));
    assert!(beside_a_database(2, &["serve", "--database-url=postgres://db/x", "--ephemeral"]).contains("exclude"));
}

#[test]
fn dev_is_only_for_this_machine() {
    let refusal = refused(2, &["dev", "--listen", "0.0.0.0:0"]);
    assert!(refusal.contains("only listens on this machine") && refusal.contains("cusp serve"), "{refusal}");
}

#[test]
fn commands_do_not_make_a_folder_by_looking_for_one() {
    let folder = folder();
    let none = folder.path().join("none");
    for command in
        [&["keys", "list"][..], &["accounts", "list"], &["keys", "revoke", "abcd"], &["check"], &["backup", "to"]]
    {
        let refusal = refused(1, &[command, &["--data", path(&none)]].concat());
        assert!(refusal.contains("there is no data folder"), "{refusal}");
        assert!(!none.exists());
    }
}

fn a_key_is_made_listed_and_revoked(keeping: &Keeping) {
    let (_folder, data) = records(keeping);
    let data = data.each_ref().map(String::as_str);
    let made = output(&[&["keys", "create", "--label", "till"], &data[..]].concat());
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stderr).contains("made the first account, acct_"));
    let key = text(&made.stdout).trim().to_string();
    assert!(key.starts_with("sk_test_") && !key.contains('\n'), "{key}");

    let list = done(&[&["keys", "list"], &data[..]].concat());
    assert!(!list.contains(&key) && list.contains(&key[key.len() - 4..]) && list.contains("till"), "{list}");
    let accounts = done(&[&["accounts", "list"], &data[..]].concat());
    assert_eq!(accounts.lines().count(), 2, "{accounts}");
    assert!(accounts.contains(&key["sk_test_".len()..][..26]), "the key tells its account\n{accounts}");

    let id = list.lines().nth(1).and_then(|row| row.split(' ').next()).expect("there is a row").to_string();
    assert!(done(&[&["keys", "revoke", &id], &data[..]].concat()).contains("is revoked as of"));
    assert!(done(&[&["keys", "revoke", &id], &data[..]].concat()).contains("was revoked already"));
    assert!(refused(1, &[&["keys", "revoke", "nokey"], &data[..]].concat()).contains("no such key"));
}

fn accounts_are_made_and_linked(keeping: &Keeping) {
    let (_folder, data) = records(keeping);
    let data = data.each_ref().map(String::as_str);
    let details = ["--name", "Bakery", "--currency", "eur", "--country", "de"];
    let parent = done(&[&["accounts", "create"], &details[..], &data[..]].concat());
    let parent = parent.trim();
    let child = done(&[&["accounts", "link", "--account", parent], &data[..]].concat());
    let list = done(&[&["accounts", "list"], &data[..]].concat());
    let row = list.lines().find(|row| row.starts_with(child.trim())).expect("the child is listed");
    assert!(row.contains(parent) && row.contains("eur") && row.contains("DE"), "{list}");
    let refusal = refused(1, &[&["keys", "create", "--account", child.trim()], &data[..]].concat());
    assert!(refusal.contains(&format!("use a key of {parent}")), "{refusal}");
    let live = done(&[&["keys", "create", "--live", "--kind=restricted", "--allow=event=read"], &data[..]].concat());
    assert!(live.starts_with("rk_live_"), "{live}");
}

#[test]
fn a_backup_becomes_a_folder_again() {
    let (folder, other) = (folder(), folder());
    let data = ["--data", path(folder.path())];
    done(&[&["keys", "create"], &data[..]].concat());
    let list = done(&[&["keys", "list"], &data[..]].concat());
    let file = other.path().join("backup.db");
    let restored = other.path().join("restored");
    done(&[&["backup", path(&file)], &data[..]].concat());
    assert_eq!(fs::metadata(&file).expect("there is a backup").permissions().mode() & 0o777, 0o600);
    assert!(refused(1, &[&["backup", path(&file)], &data[..]].concat()).contains("exists already"));
    done(&["restore", path(&file), "--data", path(&restored)]);
    assert_eq!(done(&["keys", "list", "--data", path(&restored)]), list);
    refused(1, &["restore", path(&file), "--data", path(&restored)]);
    assert!(done(&["check", "--data", path(&restored)]).starts_with("no faults in "));
}

fn two_steps_lead_to_a_served_request(keeping: &Keeping) {
    let (_folder, data) = records(keeping);
    let data = data.each_ref().map(String::as_str);
    let key = done(&[&["keys", "create"], &data[..]].concat());
    let server = Server::start(&[&["serve", "--admin-listen=127.0.0.1:0"], &data[..]].concat());
    assert_eq!(server.get("/v1/customers", key.trim()).0, 200);
    assert_eq!(server.get("/v1/customers", "sk_test_stranger").0, 401);
    // A key revoked beside the running server stops working, at the latest when it is not believed unseen any more.
    done(&[&["keys", "revoke", &key.trim()[key.trim().len() - 4..]], &data[..]].concat());
    let revoked = Instant::now();
    while server.get("/v1/customers", key.trim()).0 != 401 {
        assert!(revoked.elapsed() < Duration::from_secs(10), "a revoked key goes on working");
    }
    let (code, logged) = server.terminate();
    assert_eq!(code, Some(0), "{logged}");
    assert!(logged.contains("/v1/customers") && !logged.contains(key.trim()), "{logged}");
}

fn a_server_has_a_key_for_secrets_or_says_that_it_has_none(keeping: &Keeping) {
    let (folder, data) = records(keeping);
    let data = data.each_ref().map(String::as_str);
    let serve = |more: &[&str]| {
        let server = Server::start(&[&["serve", "--admin-listen=127.0.0.1:0"], &data[..], more].concat());
        let (code, logged) = server.terminate();
        assert_eq!(code, Some(0), "{logged}");
        logged
    };
    let warned = serve(&[]).contains("need --secrets-key-file");
    match &folder {
        None => assert!(warned, "a server on a database has no place for a key"),
        Some(folder) => {
            let key = folder.path().join("secrets.key");
            let made = fs::read(&key).expect("it was made");
            assert_eq!(fs::metadata(&key).expect("it is there").permissions().mode() & 0o777, 0o600);
            serve(&[]);
            assert!(!warned && fs::read(&key).expect("it is there") == made, "a second start finds it");
        }
    }
    let other = self::folder();
    let file = other.path().join("key");
    fs::write(&file, "sesame").expect("the folder takes a file");
    let given = ["--secrets-key-file", path(&file)];
    let refusal =
        refused(1, &[&["serve", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"], &data[..], &given].concat());
    assert!(refusal.contains("does not hold a key") && !refusal.contains("sesame"), "{refusal}");
    fs::write(&file, "07".repeat(32)).expect("it is ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let logged = serve(&given);
    assert!(logged.contains("can be read by every user") && !logged.contains("need --secrets-key-file"), "{logged}");
    assert!(!logged.contains("0707"), "{logged}");
}

#[test]
fn a_backup_says_that_the_key_of_secrets_is_not_in_it() {
    let (folder, other) = (folder(), folder());
    let data = ["--data", path(folder.path())];
    done(&[&["keys", "create"], &data[..]].concat());
    let (one, two, restored) = (other.path().join("one"), other.path().join("two"), other.path().join("restored"));
    let noted = |arguments: &[&str]| {
        let output = output(arguments);
        assert!(output.status.success());
        text(&output.stderr)
    };
    assert_eq!(noted(&[&["backup", path(&one)], &data[..]].concat()), "");
    fs::write(folder.path().join("secrets.key"), "07".repeat(32)).expect("the folder takes a file");
    let remark = noted(&[&["backup", path(&two)], &data[..]].concat());
    assert!(remark.contains("secrets.key") && !remark.contains("0707"), "{remark}");
    assert!(noted(&["restore", path(&two), "--data", path(&restored)]).contains("secrets.key"));
}

#[test]
fn webhooks_have_options_that_fit_the_mode() {
    for (arguments, reason) in [
        (&["dev", "--webhook-allow=10.0.0.0/8"][..], "--webhook-allow is for `cusp serve`"),
        (&["serve", "--chaos=1"], "--chaos is for `cusp dev`"),
        (&["serve", "--webhook-timeout=2m"], "at most 60s"),
        (&["serve", "--webhook-allow=localhost"], "expected a network or an address"),
        (&["serve", "--webhook-give-up-after=1w"], "at most 30d"),
    ] {
        let refusal = refused(2, arguments);
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn dev_lets_any_test_key_in_and_tells_its_health_on_the_main_address() {
    let folder = folder();
    let server = Server::start(&["dev", "--data", path(folder.path())]);
    assert_eq!(server.get("/v1/customers", "sk_test_anything").0, 200);
    assert_eq!(server.get("/healthz", "").0, 200);
    assert_eq!(server.get("/readyz", "").0, 200);
    let (status, numbers) = server.get("/metrics", "");
    assert_eq!(status, 200);
    assert!(numbers.contains("cusp_requests_total{") && numbers.contains("cusp_build_info{"), "{numbers}");
    assert_eq!(server.terminate().0, Some(0));
}

#[test]
fn a_database_is_brought_to_the_newest_tables_once() {
    let database = Database::fresh();
    let migrate = ["migrate", "--database-url", &database.url()];
    assert_eq!(done(&migrate), "made the tables, schema 3\n");
    assert_eq!(done(&migrate), "the tables have schema 3 already\n");
    let refusal = refused(1, &[&migrate[..], &["--distribute"]].concat());
    assert!(refusal.contains("no Citus cluster"), "{refusal}");
    let folder = folder();
    let refusal = refused(1, &["migrate", "--data", path(folder.path())]);
    assert!(refusal.contains("is a data folder, which a server brings up to date"), "{refusal}");
}

#[test]
fn a_second_server_on_the_same_folder_says_so() {
    let folder = folder();
    let data = ["--data", path(folder.path())];
    let first = Server::start(&[&["dev"], &data[..]].concat());
    let refusal = refused(1, &[&["dev", "--listen=127.0.0.1:0"], &data[..]].concat());
    assert!(refusal.contains("in use") && refusal.contains(path(folder.path())), "{refusal}");
    assert_eq!(first.terminate().0, Some(0));
    assert_eq!(Server::start(&[&["dev"], &data[..]].concat()).terminate().0, Some(0));
}

#[test]
fn a_server_with_nothing_to_keep_leaves_nothing() {
    let folder = folder();
    let mut command = cusp();
    command.current_dir(folder.path()).env("TMPDIR", folder.path());
    let mut child = command
        .args(["dev", "--ephemeral", "--listen=127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout is a pipe")).read_line(&mut line).expect("it says something");
    Command::new("kill").arg(child.id().to_string()).status().expect("there is a kill");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(fs::read_dir(folder.path()).expect("it is a folder").count(), 0);
}

#[test]
fn a_signal_ends_the_server_well_and_the_last_lines_are_written() {
    let folder = folder();
    let server = Server::start(&["dev", "--log-format=json", "--data", path(folder.path())]);
    let (code, logged) = server.terminate();
    assert_eq!(code, Some(0), "{logged}");
    assert!(logged.contains("stopping on SIGTERM"), "{logged}");
    for line in logged.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
}
