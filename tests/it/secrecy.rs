//! Numbers leave no trace: a server is told numbers in every place, right and wrong, and then every byte that it wrote or
//! answered is searched for them, in the forms in which bytes hide.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::http;
use crate::postgres::query;
use crate::program_server::cusp;

/// Documented cards: taken, declined at attach.
const TAKEN: [&str; 3] = ["4000000760000002", "4000000000009995", "378282246310005"];
/// A card that no document names.
const LIVE: &str = "4539578763621486";
/// Bank accounts, documented (but not the one that an error suggests) and not; a number of a person; a security code.
const OTHERS: [&str; 5] = ["000222222227", "000987654321", "078051120", "739184629503", "DE89370400440532013000"];

#[test]
fn numbers_leave_no_trace_in_a_folder() {
    let folder = tempfile::tempdir().expect("the system has room for a folder");
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let mut searched = Searched::default();
    let server = Program::start(&["--data", text(&data)]);
    make_secrets(server.address, &mut searched);
    state_numbers(server.address, &mut searched);
    // While it runs, with its log before the database; then stopped without warning, then copied.
    searched.files(&data);
    server.kill(&mut searched);
    searched.files(&data);
    let copied = cusp().args(["backup", text(&backup), "--data", text(&data)]).output().expect("the program runs");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    searched.files(&data);
    searched.bytes("the backup", &fs::read(&backup).expect("the backup is there"));
    searched.verdict();
}

#[test]
fn numbers_leave_no_trace_in_a_database() {
    let mut cluster = Cluster::start(&[]);
    let url = cluster.url("postgres");
    let mut searched = Searched::default();
    let server = Program::start(&["--database-url", &url]);
    make_secrets(server.address, &mut searched);
    state_numbers(server.address, &mut searched);
    server.kill(&mut searched);
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'cusp'";
    let tables = query(&url, tables).expect("the tables are listed");
    assert!(tables.len() > 4, "{tables:?}");
    for table in tables.into_iter().flatten().flatten() {
        let rows = query(&url, &format!("SELECT row::text FROM {table} AS row")).expect("the table is read");
        rows.into_iter().flatten().flatten().for_each(|row| searched.bytes(&table, row.as_bytes()));
    }
    let place = query(&url, "SHOW data_directory").expect("it is shown").remove(0).remove(0);
    let place = PathBuf::from(place.expect("it is not null"));
    // All that it had in memory is in its files then, and its log is still there.
    cluster.stop();
    searched.files(&place);
    searched.verdict();
}

/// What was searched so far, and what was found.
#[derive(Default)]
struct Searched {
    bytes: usize,
    found: Vec<String>,
    /// What receivers of webhooks know and nobody else: told in the reply to who makes it, and written nowhere.
    secrets: Vec<String>,
    /// Where the mark was seen.
    seen: Vec<String>,
}

/// What everybody may see, so that a search that sees nothing is noticed.
const MARK: &[u8] = b"Jenny Plain";

impl Searched {
    fn bytes(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len();
        if contains(bytes, MARK) {
            self.seen.push(place.to_owned());
        }
        for secret in &self.secrets {
            if contains(bytes, secret.as_bytes()) {
                self.found.push(format!("{place}: a secret of webhooks"));
            }
        }
        for number in TAKEN.iter().chain([&LIVE]).chain(&OTHERS) {
            for form in forms(number) {
                if contains(bytes, &form) {
                    self.found.push(format!("{place}: {number} as {}", String::from_utf8_lossy(&form)));
                }
            }
        }
    }

    fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap_or_else(|trouble| panic!("{}: {trouble}", folder.display())) {
            let path = entry.expect("a folder can be read to its end").path();
            if path.is_dir() {
                self.files(&path);
            } else if path.is_file() {
                // A file may go while the server that keeps it runs.
                if let Ok(bytes) = fs::read(&path) {
                    self.bytes(text(&path), &bytes);
                }
            }
        }
    }

    fn verdict(self) {
        assert!(self.found.is_empty(), "{:#?}", self.found);
        // The replies, the log, and every place that keeps records.
        let seen: BTreeSet<&String> = self.seen.iter().collect();
        assert!(seen.len() > 3 && self.bytes > 100_000, "the search hardly found anything: {seen:?}");
    }
}

/// Whether the bytes are within others.
fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == wanted[0]) {
        rest = &rest[at..];
        if rest.starts_with(wanted) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// The forms in which a number could be written: as it is, in groups, percent-encoded, as hexadecimal digits, and within
/// base64 at each of the three places where it can begin.
fn forms(number: &str) -> Vec<Vec<u8>> {
    let percent: String = number.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = number.bytes().map(|byte| format!("{byte:02x}")).collect();
    let grouped = |between: &str| {
        let digits = number.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned());
        digits.collect::<Vec<_>>().join(between)
    };
    let mut forms = vec![number.to_owned(), percent.to_lowercase(), percent, hex.to_uppercase(), hex];
    forms.extend([" ", "-", "+", "%20", ".", "/", "_", ","].map(grouped));
    for before in 0..3 {
        let padded = format!("{}{number}", "x".repeat(before));
        let whole = STANDARD_NO_PAD.encode(&padded);
        // The letters at either end depend on the neighbours: those that the number alone decides.
        let (from, until) = ([0, 2, 3][before], padded.len() * 8 / 6);
        forms.push(whole[from..until].to_owned());
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// Makes webhook endpoints and rolls their secrets, and looks at everything that tells of them.
fn make_secrets(address: SocketAddr, searched: &mut Searched) {
    let send = |method: &str, target: &str, key: Option<&str>, body: &str| {
        let mut headers = vec![("Authorization".to_owned(), "Bearer sk_test_secrecy".to_owned())];
        headers.extend(key.map(|key| ("Idempotency-Key".to_owned(), key.to_owned())));
        let form = "application/x-www-form-urlencoded";
        headers.extend((method == "POST" && !body.is_empty()).then(|| ("Content-Type".to_owned(), form.to_owned())));
        let reply = http::send(address, method, target, &headers, body.as_bytes()).expect("the server answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text()
    };
    let within = |text: &str, beginning: &str| {
        let rest = text.split_once(beginning).expect("it is told").1;
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let url = "url=http://127.0.0.1:9/hook&enabled_events[]=customer.created";
    let made = send("POST", "/v1/webhook_endpoints", Some("made"), url);
    assert_eq!(send("POST", "/v1/webhook_endpoints", Some("made"), url), made);
    let endpoint = format!("we_{}", within(&made, "\"we_"));
    searched.secrets.push(within(&made, "\"whsec_"));
    let roll = format!("/cusp/v1/webhook_endpoints/{endpoint}/roll_secret");
    searched.secrets.push(within(&send("POST", &roll, None, ""), "\"whsec_"));
    assert!(searched.secrets.iter().all(|secret| secret.len() == 32) && searched.secrets[0] != searched.secrets[1]);
    assert_eq!(send("POST", "/v1/webhook_endpoints", Some("made"), url), made);
    send("POST", "/v1/customers", None, "name=Jenny Plain");
    for (method, target, body) in [
        ("POST", format!("/v1/webhook_endpoints/{endpoint}"), "description=changed"),
        ("GET", format!("/v1/webhook_endpoints/{endpoint}"), ""),
        ("GET", "/v1/webhook_endpoints".to_owned(), ""),
        ("GET", "/v1/events".to_owned(), ""),
        ("GET", "/cusp/v1/webhook_deliveries".to_owned(), ""),
    ] {
        let said = send(method, &target, Some("changed"), body);
        searched.bytes(&format!("the reply to {method} {target}"), said.as_bytes());
    }
}

/// Tells the server numbers in every place that there is, and looks at what it answers.
fn state_numbers(address: SocketAddr, searched: &mut Searched) {
    let encoded: String = LIVE.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut send = |key: &str, method: &str, target: &str, more: &[(&str, &str)], body: &str| {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {key}"))];
        if !more.iter().any(|(name, _)| *name == "Content-Type") {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let reply = http::send(address, method, target, &headers, body.as_bytes()).expect("the server answers");
        let said: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        searched.bytes(&format!("the reply to {method} {}", body.len()), format!("{said}{}", reply.text()).as_bytes());
        reply
    };
    const KEY: &str = "sk_test_secrecy";
    let made = send(KEY, "POST", "/v1/customers", &[], "name=Jenny Plain").text();
    let customer = made.split("\"cus_").nth(1).and_then(|rest| rest.split('"').next()).expect("it has an id");
    let customer = format!("/v1/customers/cus_{customer}");

    let mut bodies = Vec::new();
    for number in TAKEN.iter().chain([&LIVE, &encoded.as_str()]) {
        for hash in ["card", "source", "payment_method_data[card]", "card[card]", "cards[]", "a[b][c]"] {
            bodies.push(format!("{hash}[number]={number}&{hash}[exp_month]=8&{hash}[exp_year]=2030&{hash}[cvc]=1234"));
        }
        let groups = number.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>();
        bodies.extend([
            format!("card[number]={number}&card[exp_month]=13&card[exp_year]=2030"),
            format!("card[number]={number}&card[exp_month]=8&card[exp_year]=1999"),
            format!("card[number]={number}&card[exp_month]=8&card[exp_year]=2030&card[cvc]=739184629503"),
            format!("card[number]={}&card[exp_month]=8&card[exp_year]=2030", groups.join("+")),
            format!("card[number]={number}{}", "0".repeat(6_000)),
            format!("card[number]={number}%zz"),
            format!("card[number]={number}%00"),
            format!("card[number]={number}%ff"),
            format!("card[number][]={number}"),
            format!("card[number][x]={number}"),
            format!("card[number]={number}&card[number][x]={number}"),
            format!("card={number}"),
            format!("balance={number} 12/30 123"),
            format!("balance={number} 1230"),
            format!("balance=1230{number}1230"),
            format!("number={number}"),
            format!("name=Jenny Plain&number={number}&cvc=739184629503"),
            format!("{number}=4"),
            format!("{{\"card\":{{\"number\":\"{number}\"}}}}"),
            format!("card[number]{number}"),
            format!("expand[number]={number}"),
            format!("expand[]={number}"),
        ]);
        bodies.extend([".", "/", "_", ",", "-"].map(|between| format!("balance={}", groups.join(between))));
    }
    for number in [OTHERS[0], OTHERS[1]] {
        for hash in ["bank_account", "source", "us_bank_account"] {
            let more = format!("{hash}[routing_number]=110000000&{hash}[country]=US");
            bodies.push(format!("{hash}[account_number]={number}&{more}"));
        }
        bodies.push(format!("bank_account[account_number]={number}&bank_account[country]=GB"));
    }
    for number in [OTHERS[0], OTHERS[1], OTHERS[4]] {
        for name in ["source", "card", "bank_account", "default_source", "default_card", "payment_method"] {
            bodies.extend([format!("{name}={number}"), format!("{name}=tok_{number}")]);
        }
        bodies.push(format!("type=card&card[token]={number}"));
    }
    bodies.extend([
        format!("pii[id_number]={}", OTHERS[2]),
        format!("person[id_number]={}", OTHERS[2]),
        format!("cvc_update[cvc]={}", OTHERS[3]),
    ]);
    for (place, body) in bodies.iter().enumerate() {
        for target in ["/v1/tokens", "/v1/customers", &customer] {
            let key = format!("key{place}");
            send(KEY, "POST", target, &[], body);
            send(KEY, "POST", target, &[("Idempotency-Key", &key)], body);
            send(KEY, "POST", target, &[("Idempotency-Key", &key)], body);
            send(KEY, "POST", target, &[("Idempotency-Key", &key)], "name=Jenny Plain");
        }
        send("pk_test_secrecy", "POST", "/v1/tokens", &[], body);
        send("pk_test_secrecy", "POST", "/v1/customers", &[], body);
        send("nobody", "POST", "/v1/tokens", &[], body);
        send(KEY, "POST", "/v1/tokens", &[("Content-Type", "application/json")], body);
        if !body.contains(['{', '"', ' ']) {
            send(KEY, "GET", &format!("/v1/customers?{body}"), &[], "");
        }
    }
    for target in [format!("/v1/tokens/{LIVE}"), format!("/v1/{LIVE}"), format!("/v1/events?type={LIVE}")] {
        send(KEY, "GET", &target, &[], "");
    }
    for target in ["/v1/events?limit=100", "/v1/customers?limit=100", "/metrics", "/healthz"] {
        send(KEY, "GET", target, &[], "");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// The program with all that it can log in a file.
struct Program {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    _folder: TempDir,
}

impl Program {
    fn start(place: &[&str]) -> Program {
        let folder = tempfile::tempdir().expect("the system has room for a folder");
        let log = folder.path().join("log");
        let mut command = cusp();
        command.args(["dev", "--listen", "127.0.0.1:0", "--log-level", "trace"]).args(place);
        command.stdout(Stdio::piped()).stderr(File::create(&log).expect("a log can be made"));
        let mut child = command.spawn().expect("the binary under test starts");
        let lines = BufReader::new(child.stdout.take().expect("it was piped above")).lines();
        let mut said = lines.map_while(Result::ok);
        let address = said.find_map(|line| line.trim().strip_prefix("listening on http://").map(str::to_owned));
        let address = address.expect("it says where it listens").parse().expect("an address");
        // What it says later is let go by, so that a full pipe does not stop it.
        std::thread::spawn(move || said.for_each(drop));
        Program { child, address, log, _folder: folder }
    }

    /// Ends it at once, and searches what it logged.
    fn kill(mut self, searched: &mut Searched) {
        self.end();
        let log = fs::read(&self.log).expect("the log is there");
        assert!(contains(&log, b"/v1/tokens"), "every request is in the log");
        searched.bytes("the log", &log);
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn the_search_finds_what_is_there() {
    for hidden in [
        "a 4539578763621486 b".to_owned(),
        "4539 5787 6362 1486".to_owned(),
        "x%34%35%33%39%35%37%38%37%36%33%36%32%31%34%38%36".to_owned(),
        STANDARD_NO_PAD.encode("card=4539578763621486&"),
        STANDARD_NO_PAD.encode(" card=4539578763621486"),
        STANDARD_NO_PAD.encode("number: 4539578763621486!"),
    ] {
        let mut searched = Searched::default();
        searched.bytes("here", hidden.as_bytes());
        assert!(!searched.found.is_empty(), "{hidden}");
    }
}
