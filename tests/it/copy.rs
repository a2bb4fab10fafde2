//! `cusp copy` as an operator meets it: killed in the middle and run again, refused, and what it says meanwhile.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc;

use cusp::domain::account::Space;
use cusp::domain::customer::Customer;
use cusp::domain::event::{Cause, Happening};
use cusp::domain::ids::{CustomerId, EventId};
use cusp::domain::time::Time;
use cusp::settings;
use cusp::store::postgres::PostgresRows;
use cusp::store::rows::{Row, Rows, TABLES, Walk};
use cusp::store::sqlite::{SqliteRows, SqliteStore};
use cusp::store::{Job, Kept, NewEvent, Store, Tx, Verdict};
use serde_json::json as value;
use tempfile::TempDir;

use crate::client::{Client, json};
use crate::fleet::everything as all_of;
use crate::holdings::{CARD, all_held, loose, token};
use crate::postgres::{Database, in_database};
use crate::program_server::{ProgramServer, cusp};
use crate::rented::{self, Caller, GivenUp};

/// So many that a copy takes long enough to be killed in the middle.
const CUSTOMERS: usize = 20_000;
/// Rows for each of them: itself, what it is found by, its event.
const ROWS_EACH: u64 = 4;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program prints text")
}

fn path(folder: &Path) -> &str {
    folder.to_str().expect("temporary folders have plain names")
}

fn run(arguments: &[&str]) -> Output {
    cusp().args(arguments).output().expect("the program runs")
}

/// What a command that ends well prints.
fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command that ends with `code` says about it.
fn refused(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("sesame"), "a password is shown: {}", text(&output.stderr));
    text(&output.stderr)
}

/// Makes customers from one number to another.
struct Batch {
    from: usize,
    to: usize,
    told: mpsc::Sender<Kept<()>>,
}

impl Job for Batch {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        for number in self.from..self.to {
            let (space, moment) = (Space(if number % 3 == 0 { -5 } else { 5 }), Time(number as i64));
            let id = CustomerId(format!("cus_{number}"));
            let mut customer = Customer::blank(id, format!("PRE{number}"), moment);
            customer.email = Some(format!("{number}@example.com"));
            tx.put_customer(space, None, &customer)?;
            let (id, cause) = (EventId(format!("evt_{number}")), Cause::default());
            let what = Happening::CustomerCreated { after: Box::new(customer), beside: Vec::new() };
            tx.append(space, NewEvent { id, created: moment, cause: &cause, what })?;
        }
        Ok(Verdict::Commit)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let _ = self.told.send(outcome);
    }
}

/// A data folder with so many customers.
fn furnished(customers: usize) -> TempDir {
    let folder = tempfile::tempdir().expect("the system has room for a folder");
    let store = SqliteStore::open(folder.path()).expect("the store opens");
    for from in (0..customers).step_by(1_000) {
        let (told, hears) = mpsc::channel();
        store.write(Box::new(Batch { from, to: customers.min(from + 1_000), told }));
        hears.recv().expect("every job is told how it went").expect("it goes well");
    }
    store.close();
    folder
}

/// Every row of a place.
fn everything(mut rows: impl Rows) -> BTreeMap<(Space, &'static str), Vec<Row>> {
    let mut all = BTreeMap::new();
    for space in rows.accounts().expect("accounts can be listed") {
        for table in &TABLES {
            let mut walk = Walk::new(table, space, None);
            let found: &mut Vec<Row> = all.entry((space, table.name)).or_default();
            loop {
                let page = walk.next(&mut rows).expect("rows can be read");
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
        }
    }
    all
}

fn kept_in_folder(folder: &Path) -> BTreeMap<(Space, &'static str), Vec<Row>> {
    everything(SqliteRows::to_copy_from(folder).expect("nobody has it"))
}

fn kept_in_database(database: &Database) -> BTreeMap<(Space, &'static str), Vec<Row>> {
    everything(PostgresRows::to_copy_from(&settings::Database::new(database.url())).expect("it has records"))
}

/// A copy under way; killed when a test ends before it.
struct Copying {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
}

impl Copying {
    fn start(from: &str, to: &str) -> Copying {
        let mut command = cusp();
        command.args(["copy", "--from", from, "--to", to]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let lines = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        Copying { child, lines }
    }

    /// The next line of progress: what is being done, and the rows done; `None` at the end.
    fn step(&mut self) -> Option<(String, u64)> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("stderr can be read");
        let (part, rest) = line.split_once(": ")?;
        let done = rest.split(' ').next().and_then(|number| number.parse().ok());
        Some((part.to_owned(), done.unwrap_or_else(|| panic!("it says {line}"))))
    }

    /// Ends it as a power switch would.
    fn kill(mut self) {
        self.child.kill().expect("it is running or was");
        self.child.wait().expect("it ends");
    }

    /// What it says at its good end.
    fn end(mut self) -> String {
        let mut said = String::new();
        self.child.stdout.take().expect("stdout is a pipe").read_to_string(&mut said).expect("it is text");
        assert!(self.child.wait().expect("it ends").success());
        said
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        // It has ended already in every test that ends well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies, and kills each run as soon as it has told of some progress of its own; gives what the last one says.
fn copy_through_kills(from: &str, to: &str, mut meanwhile: impl FnMut()) -> String {
    let (mut reached, mut kills, mut compared) = (0, 0, 0);
    loop {
        let mut copying = Copying::start(from, to);
        let (part, begun) = copying.step().expect("it tells where it begins");
        assert_eq!(part, "copied");
        assert!(begun >= reached, "it begins at {begun}, and {reached} rows were copied");
        assert!(kills == 0 || begun > 0, "it starts over");
        let step = copying.step();
        match step {
            Some((part, done)) if part == "copied" => reached = done,
            // Comparing is done from its beginning each time: two kills will do.
            Some((part, _)) if part == "compared" && compared < 2 => compared += 1,
            Some((part, _)) => {
                assert_eq!(part, "compared");
                while copying.step().is_some() {}
                assert!(kills > 5, "there were only {kills} kills");
                return copying.end();
            }
            None => panic!("it ended by itself"),
        }
        copying.kill();
        kills += 1;
        meanwhile();
    }
}

#[test]
fn a_copy_that_is_killed_again_and_again_goes_on_in_both_directions() {
    let folder = furnished(CUSTOMERS);
    let all = kept_in_folder(folder.path());
    let (database, back) = (Database::fresh(), tempfile::tempdir().expect("the system has room for a folder"));
    let (there, here) = (database.url(), path(back.path()));
    let rows = all.values().map(|rows| rows.len() as u64).sum::<u64>();
    assert_eq!(rows, CUSTOMERS as u64 * ROWS_EACH);
    let expected = format!("copied {rows} rows of 2 accounts (each mode for itself); both sides are the same\n");

    assert_eq!(copy_through_kills(path(folder.path()), &there, || {}), expected);
    assert!(kept_in_database(&database) == all, "rows are not what they were");
    assert!(done(&["check", "--database-url", &there]).starts_with("no faults in database "));

    assert_eq!(copy_through_kills(&there, here, || {}), expected);
    assert!(kept_in_folder(back.path()) == all, "rows are not what they were");
    assert!(done(&["check", "--data", here]).starts_with("no faults in "));
}

#[test]
fn nothing_works_on_an_unfinished_copy_but_the_copy() {
    let folder = furnished(5_000);
    let (database, target) = (Database::fresh(), tempfile::tempdir().expect("the system has room for a folder"));
    let url = database.url();
    for (to, place) in [(&*url, ["--database-url", &url]), (path(target.path()), ["--data", path(target.path())])] {
        let mut copying = Copying::start(path(folder.path()), to);
        copying.step().expect("it tells where it begins");
        copying.kill();
        for command in [
            &["serve", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"][..],
            &["dev", "--listen=127.0.0.1:0"],
            &["keys", "list"],
            &["keys", "create"],
            &["check"],
        ] {
            let refusal = refused(1, &[command, &place[..]].concat());
            assert!(refusal.contains("holds an unfinished copy of "), "{refusal}");
            assert!(refusal.contains("run the same `cusp copy` again to finish it"), "{refusal}");
        }
        if place[0] == "--data" {
            let backup = target.path().join("backup.db");
            assert!(refused(1, &["backup", path(&backup), "--data", to]).contains("holds an unfinished copy of "));
        }
        done(&["copy", "--from", path(folder.path()), "--to", to]);
        assert!(done(&[&["check"], &place[..]].concat()).contains("5000 customers"));
    }
}

#[test]
fn a_copied_key_opens_a_server_on_the_other_side() {
    let (folder, database) = (furnished(0), Database::fresh());
    let key = done(&["keys", "create", "--data", path(folder.path())]);
    done(&["copy", "--from", path(folder.path()), "--to", &database.url()]);
    let list = done(&["keys", "list", "--database-url", &database.url()]);
    assert_eq!(list, done(&["keys", "list", "--data", path(folder.path())]));
    assert!(list.contains(&key.trim()[key.trim().len() - 4..]));
}

/// What customers hold goes along, with tokens, payment methods and sources that nobody holds; it is used on the other side
/// as it would have been here.
#[test]
fn what_customers_hold_is_copied_there_and_back() {
    const KEY: &str = "sk_test_copied";
    let (folder, back) = (furnished(0), furnished(0));
    let (database, here) = (Database::fresh(), path(folder.path()));
    let server = ProgramServer::dev(folder.path(), &[]);
    let client = Client::new(server.address(), KEY);
    let id = |form: &str, path: &str| json(&client.post(path, form))["id"].as_str().expect("it has an id").to_owned();
    let (unused, unattached, used) = (token(&client), loose(&client), token(&client));
    assert_eq!(client.post("/v1/coupons", "id=HALF&percent_off=50").status, 200);
    let payer = client.customer(&format!("name=Jenny&source={used}&coupon=HALF"));
    json(&client.exchange("DELETE", "/v1/coupons/HALF", "", &[]));
    id("source=btok_us", &format!("/v1/customers/{payer}/sources"));
    let charged = id(&format!("customer={payer}"), "/v1/payment_methods/pm_card_amex/attach");
    let form = format!("invoice_settings[default_payment_method]={charged}");
    json(&client.post(&format!("/v1/customers/{payer}"), &form));
    let spent = id(&format!("customer={payer}"), "/v1/payment_methods/pm_card_visa/attach");
    json(&client.post(&format!("/v1/payment_methods/{spent}/detach"), ""));
    let source = id("type=ach_credit_transfer&currency=usd&owner[email]=jenny@example.com", "/v1/sources");
    let gone = client.customer("source=tok_visa");
    json(&client.exchange("DELETE", &format!("/v1/customers/{gone}"), "", &[]));
    let paths = [
        format!("/v1/customers/{payer}?expand[]=sources&expand[]=invoice_settings.default_payment_method"),
        format!("/v1/tokens/{unused}"),
        format!("/v1/tokens/{used}"),
        format!("/v1/payment_methods/{unattached}"),
        format!("/v1/payment_methods/{charged}"),
        format!("/v1/payment_methods/{spent}"),
        format!("/v1/sources/{source}"),
    ];
    let seen = |client: &Client| {
        let shown: Vec<String> = paths.iter().map(|path| json(&client.get(path)).to_string()).collect();
        (shown, all_held(client), all_of(client, "/v1/events"))
    };
    let before = seen(&client);
    server.kill();

    done(&["copy", "--from", here, "--to", &database.url()]);
    assert!(kept_in_folder(folder.path()) == kept_in_database(&database), "rows are not what they were");
    done(&["check", "--database-url", &database.url()]);
    let server = ProgramServer::dev_on(&database.url(), &[]);
    let client = Client::new(server.address(), KEY);
    assert_eq!(seen(&client), before);
    let card = |client: &Client| json(&client.post("/v1/tokens", CARD))["card"]["fingerprint"].clone();
    let fingerprint = card(&client);
    let sources = json(&client.get(&format!("/v1/customers/{payer}/sources?object=card")));
    assert_eq!(fingerprint, sources["data"][0]["fingerprint"], "numbers are told by the key that came along");
    for (form, status) in [(&used, 400), (&unused, 200), (&unused, 400), (&source, 200), (&source, 400)] {
        assert_eq!(client.post(&format!("/v1/customers/{payer}/sources"), &format!("source={form}")).status, status);
    }
    for (method, status) in [(&spent, 400), (&unattached, 200), (&unattached, 400)] {
        let reply = client.post(&format!("/v1/payment_methods/{method}/attach"), &format!("customer={payer}"));
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    let after = seen(&client);
    server.kill();

    done(&["copy", "--from", &database.url(), "--to", path(back.path()), "--replace-everything"]);
    done(&["check", "--data", path(back.path())]);
    let server = ProgramServer::dev(back.path(), &[]);
    assert_eq!(seen(&Client::new(server.address(), KEY)), after);
    server.kill();
}

/// Business units with their settings, and what they rent out with all that hangs together with it, go along: by a copy to a
/// database, by one back, and by a backup of the folder. There it goes on as it would have here.
#[test]
fn what_is_rented_is_copied_there_and_back_and_is_in_a_backup() {
    const UNIT: &str = "copied";
    let (folder, back) = (furnished(0), furnished(0));
    let (database, here) = (Database::fresh(), path(folder.path()));
    let settings = ["--tenant-id=acme", "--tax-rate=21", "--tax-inclusive=true", "--buyout-method=flat"];
    let made = ["units", "create", "--name=Acme", "--currency=eur", "--buyout-amount=30000", "--data", here];
    done(&[&made[..], &settings].concat());
    let units = |place: &[&str]| done(&[&["units", "list"], place].concat());
    let server = ProgramServer::dev(folder.path(), &[]);
    let caller = Caller::new(server.address(), UNIT);
    caller.stock(4);
    let (order, customer) = caller.order("jenny@example.com", 3, 4);
    let (open, _) = caller.order("jim@example.com", 2, 7);
    let rent = |caller: &Caller, serial: &str| {
        let body = value!({"orderId": order, "assetSerialNumber": serial, "customerId": customer});
        rented::text(&caller.done("/flexportal/v1/subscriptions", &body)["rentalId"])
    };
    let rentals = [rent(&caller, "SN-0"), rent(&caller, "SN-1")];
    let group = value!({"customerId": customer, "groupName": "IT", "billingDay": 15, "rentalIds": [rentals[0]]});
    let group = rented::text(&caller.done("/flexportal/v1/billing-groups", &group)["billingGroup"]["billingGroupId"]);
    caller.done(&format!("/flexportal/v1/subscriptions/{}/buyout", rentals[1]), &value!({"reason": "other"}));
    let pay = |caller: &Caller| {
        let payments = caller.get("/flexportal/v1/payments?status=pending&limit=1");
        let payment = rented::text(&payments["payments"][0]["paymentId"]);
        caller.done(&format!("/flexportal/v1/payments/{payment}/mark-paid"), &value!({}));
    };
    pay(&caller);
    let of_jani = format!("/jani/api/v1/customers/{customer}");
    caller.done(&format!("{of_jani}/addresses"), &value!({"region": "R", "city": "C", "country": "TZ"}));
    caller.done(&format!("{of_jani}/businesses"), &value!({"name": "Traders", "custom_data": {"rate": 1.50}}));
    let seen = |caller: &Caller| {
        rented::check(caller, &GivenUp::new());
        let lists =
            ["orders", "subscriptions", "payments", "billing-groups", "assets", "products", "products/variants"];
        let lists = lists.map(|list| format!("/flexportal/v1/{list}?limit=100"));
        let own = [
            of_jani.clone(),
            format!("{of_jani}/addresses"),
            format!("{of_jani}/businesses"),
            format!("/flexportal/v1/customers/{customer}"),
            "/jani/api/v1/events".to_owned(),
        ];
        lists.iter().chain(&own).map(|path| caller.get(path).to_string()).collect::<Vec<_>>()
    };
    let before = seen(&caller);
    server.kill();
    let before_units = units(&["--data", here]);
    assert!(before_units.contains("acme") && before_units.contains("21%"), "{before_units}");

    let (backup, restored) = (back.path().join("backup.db"), back.path().join("restored"));
    done(&["backup", path(&backup), "--data", here]);
    done(&["restore", path(&backup), "--data", path(&restored)]);
    assert!(kept_in_folder(folder.path()) == kept_in_folder(&restored), "rows are not what they were");
    assert_eq!(units(&["--data", path(&restored)]), before_units);
    done(&["copy", "--from", here, "--to", &database.url()]);
    assert!(kept_in_folder(folder.path()) == kept_in_database(&database), "rows are not what they were");
    assert_eq!(units(&["--database-url", &database.url()]), before_units);
    done(&["check", "--database-url", &database.url()]);

    let server = ProgramServer::dev_on(&database.url(), &[]);
    let caller = Caller::new(server.address(), UNIT);
    assert_eq!(seen(&caller), before);
    // It is the same order still, a device is rented once, and all that a change needs is there.
    assert_eq!(caller.order("Jim@example.com", 2, 7).0, open);
    let taken = value!({"orderId": order, "assetSerialNumber": "SN-0", "customerId": customer});
    assert!(caller.post("/flexportal/v1/subscriptions", &taken).text().contains("ASSET_NOT_AVAILABLE"));
    rent(&caller, "SN-2");
    pay(&caller);
    let gone = caller.ask("DELETE", &format!("/flexportal/v1/billing-groups/{group}"), None);
    assert_eq!(gone.status, 200, "{}", gone.text());
    let after = seen(&caller);
    server.kill();

    done(&["copy", "--from", &database.url(), "--to", path(back.path()), "--replace-everything"]);
    done(&["check", "--data", path(back.path())]);
    let server = ProgramServer::dev(back.path(), &[]);
    assert_eq!(seen(&Caller::new(server.address(), UNIT)), after);
    server.kill();
}

#[test]
fn what_must_not_be_copied_is_refused() {
    let (folder, other) = (furnished(10), furnished(10));
    let (database, empty) = (Database::fresh(), tempfile::tempdir().expect("the system has room for a folder"));
    let (from, to, url) = (path(folder.path()), path(other.path()), database.url());
    let none = empty.path().join("none");
    let nobodys = in_database(&url, "no_such_database").replace("cusp@", "cusp:sesame@");
    let detour = folder.path().join("../").join(folder.path().file_name().expect("it has a name"));
    for (from, to, reason) in [
        (from, to, "holds records already: --replace-everything removes all of them"),
        (from, from, "source and target are both "),
        (from, path(&detour), "source and target are both "),
        (path(&none), to, "none/cusp.db does not exist"),
        (path(empty.path()), to, "cusp.db does not exist"),
        (&url, to, "holds no records of cusp"),
        (&nobodys, to, "connecting to database no_such_database at "),
    ] {
        let refusal = refused(1, &["copy", "--from", from, "--to", to]);
        assert!(refusal.contains(reason), "{refusal}");
    }
    assert!(!none.exists());
    assert!(refused(2, &["copy", "--from", from]).contains("--to <FOLDER|URL>"));
    assert!(refused(2, &["copy", "--from", from, "--to=postgres://ada:sesame@db:x/y"]).contains("--to: "));
    let no_file = refused(1, &["copy", "--from", from, "--to", &url, "--to-password-file", path(&none)]);
    assert!(no_file.contains("cannot read the password file"), "{no_file}");
    done(&["copy", "--from", from, "--to", to, "--replace-everything"]);
}

#[test]
fn a_folder_with_a_running_server_is_refused_as_source_and_as_target() {
    let (used, other) = (furnished(10), furnished(20));
    let server = ProgramServer::start("serve", &["--data", path(used.path())], &["--admin-listen", "127.0.0.1:0"]);
    for ends in [[&used, &other], [&other, &used]] {
        let [from, to] = ends.map(|folder| path(folder.path()));
        let refusal = refused(1, &["copy", "--from", from, "--to", to, "--replace-everything"]);
        assert!(refusal.contains("is in use by a cusp server or another copy: stop it first"), "{refusal}");
    }
    server.kill();
    done(&["copy", "--from", path(used.path()), "--to", path(other.path()), "--replace-everything"]);
    assert!(kept_in_folder(used.path()) == kept_in_folder(other.path()));
}

#[test]
fn a_difference_is_told_and_ends_badly() {
    let (folder, database) = (furnished(CUSTOMERS), Database::fresh());
    let (from, to) = (path(folder.path()), database.url());
    let mut copying = Copying::start(from, &to);
    while copying.step().is_some_and(|(part, done)| part == "copied" && done < 20_000) {}
    copying.kill();
    database.execute("DELETE FROM cusp.customers WHERE id = 'cus_0'");
    let output = run(&["copy", "--from", from, "--to", &to]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let difference = "account -5, customers: 6667 rows in the source, 6666 in the target\n";
    assert_eq!(text(&output.stdout), difference);
    let said = text(&output.stderr);
    assert!(said.contains("not what the source is (differences: 1)") && said.contains("starts over"), "{said}");
    assert!(refused(1, &["check", "--database-url", &to]).contains("unfinished copy"));
    done(&["copy", "--from", from, "--to", &to]);
    assert!(kept_in_database(&database) == kept_in_folder(folder.path()));
}

#[test]
fn faults_in_a_database_are_told_and_end_badly() {
    let (folder, database) = (furnished(10), Database::fresh());
    done(&["copy", "--from", path(folder.path()), "--to", &database.url()]);
    database.execute("UPDATE cusp.heads SET seq = 99 WHERE account = 5; DELETE FROM cusp.events WHERE id = 'evt_3'");
    let output = run(&["check", "--database-url", &database.url()]);
    assert_eq!(output.status.code(), Some(1));
    let faults = text(&output.stdout);
    assert!(faults.contains("the head of account 5: it is at event 99, the newest is 6\n"), "{faults}");
    assert!(faults.contains("event evt_6 of account -5: it has place 3, 2 was to come\n"), "{faults}");
    assert!(text(&output.stderr).contains("faults in database "));
    assert!(refused(1, &["check", "--database-url", &Database::fresh().url()]).contains("holds no records of cusp"));
}
