//! The catalogue under load: many callers want one SKU or one serial number, on one server and on two; and a file of a
//! hundred thousand rows is taken in a memory that does not grow with it.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::fleet::Peer;
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::Reply;
use crate::postgres::Database;
use crate::program_server::ProgramServer;

in_every_store! {
    one_asset_has_a_serial_number,
    one_variant_has_a_sku,
    one_product_has_a_sku,
}

/// Also the name of the sandbox, and so of the business unit.
const NAME: &str = "race";
const KEY: &str = "sk_test_race";
const CALLERS: usize = 8;
/// How often a race is run.
const ROUNDS: usize = 3;

/// How many rows the large file has.
const ROWS: usize = 100_000;
/// How much more memory than before the server may have while it takes the file of some 15 MB, in MB.
const MORE_MEMORY: f64 = 160.0;
/// How long it may take, on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(500);

fn one_asset_has_a_serial_number(keeping: &Keeping) {
    let server = Server::start(keeping);
    serial_number_race(|_| Client::new(server.address(), KEY));
}

#[test]
fn one_asset_has_a_serial_number_on_two_servers() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    serial_number_race(|caller| peers[caller % 2].client(KEY));
}

fn one_variant_has_a_sku(keeping: &Keeping) {
    let server = Server::start(keeping);
    sku_race(|_| Client::new(server.address(), KEY));
}

#[test]
fn one_variant_has_a_sku_on_two_servers() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    sku_race(|caller| peers[caller % 2].client(KEY));
}

fn one_product_has_a_sku(keeping: &Keeping) {
    let server = Server::start(keeping);
    for round in 0..ROUNDS {
        let made = rush(
            |_| Client::new(server.address(), KEY),
            |caller| ("/v1/products", product(&format!("P{round}"), &format!("P{round}-{caller}"))),
        );
        let ids: Vec<Value> = made.iter().map(|reply| body(reply, 201)["productId"].clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let created = made.iter().filter(|reply| body(reply, 201)["operation"] == "created").count();
        assert_eq!(created, 1);
        let id = ids[0].as_str().expect("a product has an id");
        let shown = get(&Client::new(server.address(), KEY), &format!("/v1/products/{id}"));
        assert_eq!(shown["variants"].as_array().map(Vec::len), Some(CALLERS));
    }
}

/// All want to make the same asset; one does.
fn serial_number_race(client: impl Fn(usize) -> Client + Sync) {
    post(&client(0), "/v1/products", &product("P", "P-A"));
    for round in 0..ROUNDS {
        let asset = json!({"serialNumber": format!("S{round}"), "sku": "P-A"});
        let replies = rush(&client, |caller| {
            ("/v1/assets", json!({"notes": caller.to_string(), "serialNumber": asset["serialNumber"], "sku": "P-A"}))
        });
        let (made, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!(made.len(), 1);
        assert!(refused.iter().all(|reply| body(reply, 409)["error"]["code"] == "ASSET_EXISTS"));
        let kept = get(&client(1), &format!("/v1/assets/S{round}"));
        assert_eq!(kept["notes"], body(made[0], 201)["asset"]["notes"]);
    }
    assert_eq!(get(&client(1), "/v1/assets")["count"], ROUNDS);
}

/// Each wants a product of its own, with the same variant; one gets it.
fn sku_race(client: impl Fn(usize) -> Client + Sync) {
    for round in 0..ROUNDS {
        let replies =
            rush(&client, |caller| ("/v1/products", product(&format!("P{round}-{caller}"), &format!("V{round}"))));
        let (made, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!(made.len(), 1);
        assert!(refused.iter().all(|reply| body(reply, 409)["error"]["code"] == "DUPLICATE_SKU"));
    }
    assert_eq!(get(&client(1), "/v1/products/variants")["count"], ROUNDS);
    assert_eq!(get(&client(1), "/v1/products")["count"], ROUNDS);
}

#[test]
fn a_hundred_thousand_rows_are_taken_in_little_memory() {
    let folder = TempDir::new().expect("a folder is made");
    take_many(&ProgramServer::dev(folder.path(), &[]));
}

#[test]
fn a_hundred_thousand_rows_are_taken_by_a_database() {
    let database = Database::fresh();
    take_many(&ProgramServer::dev_on(&database.url(), &[]));
}

fn take_many(server: &ProgramServer) {
    let mut file = String::from("Product Name,Product SKU,Category,Brand,Specification,Grade,Color,Variant SKU,");
    file.push_str("List Price,Acquisition Cost,6mo_Price,12mo_Price,24mo_Price,36mo_Price\n");
    for row in 0..ROWS {
        // A price that is none in one row of a thousand.
        let price = if row % 1_000 == 999 { "cheap" } else { "2499" };
        let of = row / 100;
        file.push_str(&format!(
            "Notebook number {of},NB-{of},Laptops,Acme,A specification of some length for number {row},A,Space Black,\
             NB-{of}-VARIANT-{row},{price},1800,199.95,159,129,109\n"
        ));
    }
    let before = server.resident_megabytes();
    let done = AtomicBool::new(false);
    let (answer, peak, took) = thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut peak = before;
            while !done.load(Ordering::Relaxed) {
                peak = server.resident_megabytes().max(peak);
                thread::sleep(Duration::from_millis(20));
            }
            peak
        });
        let began = Instant::now();
        let answer = send(server, file.as_bytes());
        done.store(true, Ordering::Relaxed);
        (answer, watching.join().expect("the watch ends"), began.elapsed())
    });
    println!("{} MB of rows took {took:?} and {:.0} MB more", file.len() / 1_000_000, peak - before);
    assert_eq!(answer["summary"]["totalRows"], ROWS);
    assert_eq!((&answer["created"], &answer["updated"]), (&json!(ROWS / 100), &json!(0)));
    assert_eq!(answer["summary"]["variantsCreated"], ROWS - ROWS / 1_000);
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(ROWS / 1_000));
    assert_eq!(answer["errors"][0]["row"], 1_000);
    assert!(peak - before < MORE_MEMORY, "{peak} MB, {before} MB before");
    // Others are served meanwhile and afterwards.
    let page = get(&Client::new(server.address(), KEY), "/v1/products/variants?limit=5000");
    assert_eq!(page["count"], 5_000);
}

/// Sends a file and waits for the reply for as long as it may take.
fn send(server: &ProgramServer, file: &[u8]) -> Value {
    let mut connection = server.connection(KEY);
    let stream = connection.stream().expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit is set");
    stream.set_write_timeout(Some(PATIENCE)).expect("a time limit is set");
    let head = format!(
        "POST /flexportal/v1/products/csv HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {KEY}\r\n\
         tenant-id: {NAME}\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\r\n",
        file.len()
    );
    stream.write_all(head.as_bytes()).expect("the server reads");
    stream.write_all(file).expect("the server reads");
    body(&connection.read_reply().expect("the server answers"), 201)
}

fn product(sku: &str, variant: &str) -> Value {
    json!({
        "productSku": sku, "name": "Pad", "specification": "11 inch", "category": "Tablets", "brand": "Acme",
        "variants": [{
            "variantSku": variant, "variantName": "Like new", "grade": "A",
            "pricing": [{"contractLength": 12, "monthlyPrice": 39.95}],
        }],
    })
}

/// Every caller asks once, all at the same time.
fn rush(client: impl Fn(usize) -> Client + Sync, wish: impl Fn(usize) -> (&'static str, Value) + Sync) -> Vec<Reply> {
    thread::scope(|scope| {
        let asking: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (client, wish) = (&client, &wish);
                scope.spawn(move || {
                    let (path, body) = wish(caller);
                    exchange(&client(caller), "POST", path, &body.to_string())
                })
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().expect("a caller ends without panic")).collect()
    })
}

fn exchange(client: &Client, method: &str, path: &str, body: &str) -> Reply {
    let path = format!("/flexportal{path}");
    client.exchange_json(method, &path, body, &[("Tenant-ID", NAME)])
}

#[track_caller]
fn post(client: &Client, path: &str, wish: &Value) -> Value {
    body(&exchange(client, "POST", path, &wish.to_string()), 201)
}

#[track_caller]
fn get(client: &Client, path: &str) -> Value {
    body(&exchange(client, "GET", path, ""), 200)
}

#[track_caller]
fn body(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("replies are JSON")
}
