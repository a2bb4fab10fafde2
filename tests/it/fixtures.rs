//! Known records: what an API shows goes back in by `cusp fixtures load` and `cusp dev --load`, under the same ids.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connection::Connection;
use crate::harness::{Keeping, in_both_stores};
use crate::program_server::{ProgramServer, cusp};

in_both_stores! {
    what_is_shown_goes_back_in,
    ten_thousand_customers_take_seconds,
    a_file_comes_in_whole_or_not_at_all,
}

/// Where a server of a test keeps its records.
struct Place {
    options: Vec<String>,
    _folder: Option<TempDir>,
}

impl Place {
    fn like(keeping: &Keeping) -> Place {
        match keeping {
            Keeping::Database(database) => {
                database.emptied();
                Place { options: vec!["--database-url".into(), database.url()], _folder: None }
            }
            Keeping::Folder => {
                let folder = folder();
                let data = folder.path().join("data").display().to_string();
                Place { options: vec!["--data".into(), data], _folder: Some(folder) }
            }
            Keeping::Memory => Place { options: vec!["--ephemeral".into()], _folder: None },
        }
    }

    fn options(&self) -> Vec<&str> {
        self.options.iter().map(String::as_str).collect()
    }

    fn server(&self) -> ProgramServer {
        ProgramServer::start("dev", &self.options(), &[])
    }

    /// Ends the server and has everything examined that it kept.
    fn is_sound(&self, server: ProgramServer) {
        server.kill();
        if self.options() == ["--ephemeral"] {
            return;
        }
        let checked = cusp().arg("check").args(self.options()).output().expect("the program runs");
        assert!(checked.status.success(), "{}", said(&checked));
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system has room for a folder")
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder can be written to");
    path
}

fn load(server: &ProgramServer, key: &str, path: &Path) -> Output {
    let url = format!("http://{}", server.address());
    let mut command = cusp();
    command.args(["fixtures", "load"]).arg(path).args(["--api-key", key, "--url", &url]);
    command.output().expect("the program runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn loaded(server: &ProgramServer, key: &str, path: &Path) -> String {
    let output = load(server, key, path);
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("it has an id")
}

/// The requests that show all of the sandbox, in an order in which what they show can come in.
const SHOWN: [&str; 2] = ["/v1/coupons?limit=100", "/v1/promotion_codes?limit=100"];
const EXPANDED: &str = "expand[]=sources&expand[]=tax_ids&expand[]=cash_balance&expand[]=tax";

/// Everything that the sandbox shows of its records.
fn shown(connection: &mut Connection) -> Vec<Value> {
    let mut all: Vec<Value> = SHOWN.iter().map(|path| connection.ok("GET", path, "")).collect();
    let customers = connection.ok("GET", "/v1/customers?limit=100", "");
    for customer in customers["data"].as_array().expect("a list") {
        let path = format!("/v1/customers/{}", id(customer));
        all.push(connection.ok("GET", &format!("{path}?{EXPANDED}"), ""));
        let methods = connection.ok("GET", &format!("{path}/payment_methods?limit=100"), "");
        all.push(methods);
    }
    all
}

fn what_is_shown_goes_back_in(keeping: &Keeping) {
    let place = Place::like(keeping);
    let server = place.server();
    let mut first = server.connection("sk_test_first");
    let coupon =
        first.ok("POST", "/v1/coupons", "percent_off=12.5&duration=repeating&duration_in_months=3&metadata[a]=b");
    let form = format!("promotion[type]=coupon&promotion[coupon]={}&code=SPRING&max_redemptions=9", id(&coupon));
    let code = first.ok("POST", "/v1/promotion_codes", &form);
    let form = "name=Ada&email=ada@example.com&balance=-500&description=d&phone=%2B1&tax_exempt=reverse\
                &address[line1]=1 Road&address[country]=GB&shipping[name]=Ada&shipping[address][city]=London\
                &invoice_settings[custom_fields][0][name]=PO&invoice_settings[custom_fields][0][value]=7\
                &invoice_settings[footer]=f&invoice_settings[rendering_options][amount_tax_display]=exclude_tax\
                &metadata[k]=v&preferred_locales[]=en&preferred_locales[]=de&next_invoice_sequence=7\
                &invoice_prefix=ADA123&tax[ip_address]=192.0.2.1&business_name=Ada Ltd\
                &cash_balance[settings][reconciliation_mode]=manual&source=tok_visa&tax_id_data[0][type]=eu_vat\
                &tax_id_data[0][value]=DE123456789";
    let ada = first.ok("POST", "/v1/customers", &form.replace(' ', "%20"));
    let ada = id(&ada).to_owned();
    first.ok("POST", &format!("/v1/customers/{ada}"), &format!("promotion_code={}", id(&code)));
    let fund = format!("/v1/test_helpers/customers/{ada}/fund_cash_balance");
    first.ok("POST", &fund, "amount=1200&currency=eur");
    let method = first.ok("POST", "/v1/payment_methods/pm_card_mastercard/attach", &format!("customer={ada}"));
    let form = format!("invoice_settings[default_payment_method]={}", id(&method));
    first.ok("POST", &format!("/v1/customers/{ada}"), &form);
    first.ok("POST", &format!("/v1/customers/{ada}/sources"), "source=btok_us_verified");
    first.ok("POST", "/v1/customers", "name=Bob");

    let before = shown(&mut first);
    let folder = folder();
    let lines: Vec<String> = before
        .iter()
        // A card is a payment method too; it comes in as what it is with its customer.
        .map(|value| match value["url"].as_str() {
            Some(url) if url.ends_with("/payment_methods") => {
                let methods = value["data"].as_array().expect("a list").iter();
                let own: Vec<&Value> = methods.filter(|method| id(method).starts_with("pm_")).collect();
                json!({ "object": "list", "data": own }).to_string()
            }
            Some(_) | None => value.to_string(),
        })
        .collect();
    let path = file(folder.path(), "known.jsonl", &lines.join("\n"));
    let told = loaded(&server, "sk_test_second", &path);
    assert!(told.contains("loaded 2 customers, 1 coupon, 1 promotion code"), "{told}");

    let mut second = server.connection("sk_test_second");
    assert_eq!(second.ok("GET", "/v1/events", "")["data"], json!([]), "they have been there all along");
    assert_eq!(shown(&mut second), before);
    let ledger = second.ok("GET", &format!("/v1/customers/{ada}/balance_transactions"), "");
    assert_eq!(ledger["data"][0]["ending_balance"], -500);
    let ledger = second.ok("GET", &format!("/v1/customers/{ada}/cash_balance_transactions"), "");
    assert_eq!(ledger["data"][0]["ending_balance"], 1200);

    // They live on like any others.
    second.ok("POST", &format!("/v1/customers/{ada}"), "name=Ada L.");
    let form = format!("customer={ada}&payment_method={}&confirm=true&payment_method_types[]=card", id(&method));
    assert_eq!(second.ok("POST", "/v1/setup_intents", &form)["status"], "succeeded");
    let found = second.ok("GET", "/v1/customers/search?query=email%3A%27ada@example.com%27", "");
    assert_eq!(id(&found["data"][0]), ada);
    place.is_sound(server);
}

fn ten_thousand_customers_take_seconds(keeping: &Keeping) {
    let place = Place::like(keeping);
    let server = place.server();
    let lines = (0..10_000).map(|number| {
        json!({
            "object": "customer", "id": format!("cus_{number:05}"), "name": format!("Customer {number}"),
            "email": format!("{number}@example.com"), "balance": number, "currency": "usd",
            "metadata": { "number": number.to_string() }, "created": 1_700_000_000 + number,
        })
        .to_string()
    });
    let folder = folder();
    let path = file(folder.path(), "many.jsonl", &lines.collect::<Vec<_>>().join("\n"));
    let began = Instant::now();
    let told = loaded(&server, "sk_test_many", &path);
    assert!(told.contains("loaded 10000 customers"), "{told}");
    println!("10 000 customers in {:?}", began.elapsed());
    // Of a program that is not made to be fast, on a machine with other work to do.
    assert!(began.elapsed() < Duration::from_secs(60));
    let newest = server.connection("sk_test_many").ok("GET", "/v1/customers?limit=1", "");
    assert_eq!(id(&newest["data"][0]), "cus_09999");
    place.is_sound(server);
}

fn a_file_comes_in_whole_or_not_at_all(keeping: &Keeping) {
    let place = Place::like(keeping);
    let server = place.server();
    let folder = folder();
    let good = r#"{"object":"customer","id":"cus_1","name":"Ada","invoice_prefix":"ADA123"}"#;
    for (bad, why) in [
        ("{\"object\":\"customer\"}", "line 2: id: it is missing"),
        (good, "line 2: cus_1 is there already"),
        (
            r#"{"object":"customer","id":"cus_2","invoice_prefix":"ADA123"}"#,
            "line 2: invoice_prefix: another customer has",
        ),
        (r#"{"object":"promotion_code","id":"promo_1","code":"A","coupon":"none"}"#, "line 2: there is no coupon none"),
    ] {
        let path = file(folder.path(), "bad.jsonl", &format!("{good}\n{bad}\n"));
        let output = load(&server, "sk_test_whole", &path);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(why), "{}", said(&output));
        let listed = server.connection("sk_test_whole").ok("GET", "/v1/customers", "");
        assert_eq!(listed["data"], json!([]), "{bad}");
    }
    let path = file(folder.path(), "good.jsonl", good);
    loaded(&server, "sk_test_whole", &path);
    let again = load(&server, "sk_test_whole", &path);
    assert!(said(&again).contains("good.jsonl: line 1: cus_1 is there already"), "{}", said(&again));
}

#[test]
fn a_server_begins_with_what_it_is_told_to_load() {
    let folder = folder();
    let one = file(folder.path(), "one.jsonl", r#"{"object":"customer","id":"cus_one"}"#);
    let two = file(folder.path(), "two.json", r#"{"object":"list","data":[{"object":"customer","id":"cus_two"}]}"#);
    let [one, two] = [&one, &two].map(|path| path.to_str().expect("temporary folders have plain names"));
    let server = ProgramServer::start("dev", &["--ephemeral"], &["--load", one, "--load", two]);
    let mut me = server.connection("sk_test_me");
    assert_eq!(id(&me.ok("GET", "/v1/customers/cus_one", "")), "cus_one");
    assert_eq!(id(&me.ok("GET", "/v1/customers/cus_two", "")), "cus_two");

    let server = ProgramServer::start("dev", &["--ephemeral"], &["--load", one, "--load-key", "sk_test_other"]);
    assert_eq!(id(&server.connection("sk_test_other").ok("GET", "/v1/customers/cus_one", "")), "cus_one");
    assert_eq!(server.connection("sk_test_me").send("GET", "/v1/customers/cus_one", &[], "").unwrap().status, 404);

    let bad = file(folder.path(), "bad.jsonl", "{\"object\":\"customer\",\"id\":\"cus_1\",\"nam\":\"Ada\"}");
    let bad = bad.to_str().expect("temporary folders have plain names");
    let arguments = ["dev", "--ephemeral", "--listen", "127.0.0.1:0", "--load", bad];
    let output = cusp().args(arguments).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("bad.jsonl: line 1: nam: Received unknown parameter: nam"), "{}", said(&output));
}

#[test]
fn requests_are_sent_in_their_order_and_tell_what_happened() {
    let script = json!({
        "_meta": { "template_version": 0 },
        "fixtures": [
            { "name": "ada", "path": "/v1/customers", "method": "post",
              "params": { "name": "Ada", "metadata": { "of": "${.env:CUSP_TEST_NOTHING|nobody}" } } },
            { "name": "card", "path": "/v1/customers/${ada:id}/sources", "method": "post", "params": { "source": "tok_visa" } },
            { "name": "declined", "path": "/v1/customers/${ada:id}/sources", "method": "post",
              "params": { "source": "tok_chargeDeclinedNoSuch" }, "expected_error_type": "invalid_request_error" },
            { "name": "shown", "path": "/v1/customers/${ada:id}", "method": "get", "params": { "expand": ["sources"] } },
        ],
        "env": { "CARD": "${shown:sources.data.0.id}" },
    });
    let folder = folder();
    let server = ProgramServer::start("dev", &["--ephemeral"], &[]);
    let path = file(folder.path(), "script.json", &script.to_string());
    let told = loaded(&server, "sk_test_script", &path);
    assert!(told.contains("script.json: sent 4 requests\nCARD=card_"), "{told}");
    let mut connection = server.connection("sk_test_script");
    let ada = connection.ok("GET", "/v1/customers", "")["data"][0].clone();
    assert_eq!((&ada["name"], &ada["metadata"]["of"]), (&json!("Ada"), &json!("nobody")));
    let events = connection.ok("GET", "/v1/events", "");
    let kinds: Vec<&str> = events["data"].as_array().unwrap().iter().rev().filter_map(|e| e["type"].as_str()).collect();
    assert_eq!(kinds[..2], ["customer.created", "customer.source.created"]);

    let path = file(
        folder.path(),
        "refused.json",
        r#"{"fixtures": [{"name": "ada", "path": "/v1/customers", "method": "post", "params": {"email": "no"}}]}"#,
    );
    let output = load(&server, "sk_test_script", &path);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("ada: POST /v1/customers was refused with 400"), "{}", said(&output));
}

#[test]
fn servers_that_keep_records_take_no_fixtures() {
    let folder = folder();
    let data = folder.path().join("data").display().to_string();
    let key = cusp().args(["keys", "create", "--data", &data]).output().expect("the program runs");
    let key = String::from_utf8_lossy(&key.stdout).trim().to_owned();
    let key = key.lines().find(|line| line.starts_with("sk_")).expect("it prints the key").to_owned();
    let server = ProgramServer::start("serve", &["--data", &data], &["--admin-listen", "127.0.0.1:0"]);
    let path = file(folder.path(), "one.jsonl", r#"{"object":"customer","id":"cus_one"}"#);
    let output = load(&server, &key, &path);
    assert!(said(&output).contains("is there in `cusp dev` only"), "{}", said(&output));
}
